// SPDX-License-Identifier: GPL-2.0-only
/* The calls of a virtual machine monitor to /dev/iommu and VFIO. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "iommufd_test.h"
#include "vmm.h"

static int call(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

/* Memory for a guest; a child process of the monitor's parent shares it */
char *monitor_memory(void)
{
	char *memory = mmap(NULL, GUEST_SIZE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* A fresh guest: memory that the IOMMU can find, and nothing assigned yet */
int monitor_open_with(struct monitor *vmm, char *memory)
{
	struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };
	int ret;

	*vmm = (struct monitor) { .memory = memory, .tables = GUEST_BASE };
	if (!memory)
		return -ENOMEM;
	vmm->iommu = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (vmm->iommu < 0)
		return -errno;
	ret = call(vmm->iommu, IOMMU_IOAS_ALLOC, &ioas);
	vmm->ioas = ioas.out_ioas_id;
	return ret ? ret : monitor_map(vmm, GUEST_BASE, GUEST_SIZE, true);
}

int monitor_open(struct monitor *vmm)
{
	return monitor_open_with(vmm, monitor_memory());
}

void monitor_close(struct monitor *vmm)
{
	close(vmm->iommu);
	munmap(vmm->memory, GUEST_SIZE);
}

int monitor_map(struct monitor *vmm, uint64_t gpa, uint64_t len, bool write)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map), .ioas_id = vmm->ioas,
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 (write ? IOMMU_IOAS_MAP_WRITEABLE : 0),
		.user_va = (uintptr_t)monitor_at(vmm, gpa),
		.length = len, .iova = gpa,
	};

	return call(vmm->iommu, IOMMU_IOAS_MAP, &map);
}

int monitor_unmap(struct monitor *vmm, uint64_t gpa, uint64_t len)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap), .ioas_id = vmm->ioas,
		.iova = gpa, .length = len,
	};

	return call(vmm->iommu, IOMMU_IOAS_UNMAP, &unmap);
}

void *monitor_at(struct monitor *vmm, uint64_t gpa)
{
	return vmm->memory + (gpa - GUEST_BASE);
}

/* How many PASIDs the file may have */
int monitor_quota(struct monitor *vmm, uint32_t quota)
{
	struct iommu_option option = {
		.size = sizeof(option), .option_id = IOMMU_OPTION_PASID_QUOTA,
		.op = IOMMU_OPTION_OP_SET, .val64 = quota,
	};

	return call(vmm->iommu, IOMMU_OPTION, &option);
}

/* A page table, or whatever else has a number on /dev/iommu */
int monitor_destroy(struct monitor *vmm, uint32_t id)
{
	struct iommu_destroy destroy = { .size = sizeof(destroy), .id = id };

	return call(vmm->iommu, IOMMU_DESTROY, &destroy);
}

/* Begin or end to find out which pages devices write */
int monitor_track(struct monitor *vmm, bool on)
{
	struct iommu_hwpt_set_dirty_tracking set = {
		.size = sizeof(set), .hwpt_id = vmm->parent,
		.flags = on ? IOMMU_HWPT_DIRTY_TRACKING_ENABLE : 0,
	};

	return call(vmm->iommu, IOMMU_HWPT_SET_DIRTY_TRACKING, &set);
}

/* Has the page been written since this was asked last? 0, 1 or an errno */
int monitor_dirty(struct monitor *vmm, uint64_t gpa)
{
	uint64_t bits = 0;
	struct iommu_hwpt_get_dirty_bitmap get = {
		.size = sizeof(get), .hwpt_id = vmm->parent, .iova = gpa,
		.length = PAGE, .page_size = PAGE, .data = (uintptr_t)&bits,
	};
	int ret = call(vmm->iommu, IOMMU_HWPT_GET_DIRTY_BITMAP, &get);

	return ret ? ret : (int)(bits & 1);
}

/* Without bus mastering a device does no DMA */
static int enable_dma(struct device *dev)
{
	struct vfio_region_info config = {
		.argsz = sizeof(config), .index = VFIO_PCI_CONFIG_REGION_INDEX,
	};
	uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	int ret = call(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &config);

	if (ret)
		return ret;
	return pwrite(dev->fd, &command, sizeof(command),
		      config.offset + PCI_COMMAND) == sizeof(command) ?
	       0 : -errno;
}

static int map_bar(struct device *dev)
{
	struct vfio_region_info bar = {
		.argsz = sizeof(bar), .index = VFIO_PCI_BAR0_REGION_INDEX,
	};
	int ret = call(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &bar);

	if (ret)
		return ret;
	dev->bar_size = bar.size;
	dev->bar = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED,
			dev->fd, bar.offset);
	return dev->bar == MAP_FAILED ? -errno : 0;
}

/* Make a device ready that VFIO has just handed out */
int device_start(struct device *dev)
{
	int ret = device_reset(dev) ?: enable_dma(dev);

	return ret ?: map_bar(dev);
}

/* Take /dev/vfio/devices/vfio@nr. DMA without PASID is blocked until attached. */
int device_open(struct monitor *vmm, struct device *dev, unsigned int nr)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind), .iommufd = vmm->iommu,
	};
	char path[64];
	int ret;

	*dev = (struct device) { .fd = -1 };
	snprintf(path, sizeof(path), "/dev/vfio/devices/vfio%u", nr);
	dev->fd = open(path, O_RDWR | O_CLOEXEC);
	if (dev->fd < 0)
		return -errno;
	ret = call(dev->fd, VFIO_DEVICE_BIND_IOMMUFD, &bind);
	dev->id = bind.out_devid;
	return ret ? ret : device_start(dev);
}

/* A device of the mock IOMMU, which has PASIDs and does no DMA */
int mock_open(struct monitor *vmm, struct device *dev)
{
	struct iommu_test_cmd mock = {
		.size = sizeof(mock), .op = IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS,
		.id = vmm->ioas,
		.mock_domain_flags.dev_flags = MOCK_FLAGS_DEVICE_PASID,
	};
	int ret = call(vmm->iommu, IOMMU_TEST_CMD, &mock);

	*dev = (struct device) { .fd = -1, .id = mock.mock_domain_flags.out_idev_id };
	return ret;
}

void device_close(struct device *dev)
{
	if (dev->bar)
		munmap((void *)dev->bar, dev->bar_size);
	close(dev->fd);
}

int device_reset(struct device *dev)
{
	dev->slot = 0;
	return call(dev->fd, VFIO_DEVICE_RESET, NULL);
}

/* The stage 2: it follows what is mapped in the IOAS */
int device_alloc_parent_with(struct monitor *vmm, struct device *dev,
			     uint32_t flags)
{
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc),
		.flags = IOMMU_HWPT_ALLOC_NEST_PARENT | flags,
		.dev_id = dev->id, .pt_id = vmm->ioas,
	};
	int ret = call(vmm->iommu, IOMMU_HWPT_ALLOC, &alloc);

	vmm->parent = alloc.out_hwpt_id;
	return ret;
}

int device_alloc_parent(struct monitor *vmm, struct device *dev)
{
	return device_alloc_parent_with(vmm, dev, 0);
}

static int alloc_nested(struct monitor *vmm, struct device *dev, uint32_t flags,
			struct iommu_hwpt_vtd_s1 *table, uint32_t fault_id,
			uint32_t *pt_id)
{
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc), .flags = flags, .dev_id = dev->id,
		.pt_id = vmm->parent, .data_type = IOMMU_HWPT_DATA_VTD_S1,
		.data_len = sizeof(*table), .data_uptr = (uintptr_t)table,
		.fault_id = fault_id,
	};
	int ret = call(vmm->iommu, IOMMU_HWPT_ALLOC, &alloc);

	*pt_id = alloc.out_hwpt_id;
	return ret;
}

/* A page table of the guest for DMA without PASID, by mainline's interface */
int device_alloc_nested(struct monitor *vmm, struct device *dev, uint64_t root,
			uint64_t flags, uint32_t *pt_id)
{
	struct iommu_hwpt_vtd_s1 table = {
		.flags = flags, .pgtbl_addr = root, .addr_width = 48,
	};

	return alloc_nested(vmm, dev, 0, &table, 0, pt_id);
}

/* One that can be attached to PASIDs as well */
int pasid_alloc_nested(struct monitor *vmm, struct device *dev, uint64_t root,
		       unsigned int width, uint32_t *pt_id)
{
	struct iommu_hwpt_vtd_s1 table = {
		.pgtbl_addr = root, .addr_width = width,
	};

	return alloc_nested(vmm, dev, IOMMU_HWPT_ALLOC_PASID, &table, 0, pt_id);
}

/* One with page requests on, which are for the file descriptor @fault */
int device_alloc_faulting(struct monitor *vmm, struct device *dev, uint64_t root,
			  uint32_t *pt_id, int *fault)
{
	struct iommu_hwpt_vtd_s1 table = { .pgtbl_addr = root, .addr_width = 48 };
	struct iommu_fault_alloc queue = { .size = sizeof(queue) };
	int ret = call(vmm->iommu, IOMMU_FAULT_QUEUE_ALLOC, &queue);

	*fault = queue.out_fault_fd;
	return ret ? ret : alloc_nested(vmm, dev, IOMMU_HWPT_FAULT_ID_VALID, &table,
					queue.out_fault_id, pt_id);
}

int device_invalidate(struct monitor *vmm, uint32_t pt_id, uint64_t va,
		      uint64_t pages)
{
	struct iommu_hwpt_vtd_s1_invalidate range = {
		.addr = va, .npages = pages,
	};
	struct iommu_hwpt_invalidate cmd = {
		.size = sizeof(cmd), .hwpt_id = pt_id,
		.data_type = IOMMU_HWPT_INVALIDATE_DATA_VTD_S1,
		.data_uptr = (uintptr_t)&range, .entry_len = sizeof(range),
		.entry_num = 1,
	};

	return call(vmm->iommu, IOMMU_HWPT_INVALIDATE, &cmd);
}

/* DMA without PASID goes through this: an IOAS or a page table */
int device_attach(struct device *dev, uint32_t pt_id)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach), .pt_id = pt_id,
	};

	return call(dev->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
}

int device_detach(struct device *dev)
{
	struct vfio_device_detach_iommufd_pt detach = {
		.argsz = sizeof(detach),
	};

	return call(dev->fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach);
}

int pasid_alloc(struct monitor *vmm, uint32_t *pasid)
{
	struct iommu_pasid_alloc alloc = {
		.size = sizeof(alloc), .min = 1, .max = 0xfffff,
	};
	int ret = call(vmm->iommu, IOMMU_PASID_ALLOC, &alloc);

	*pasid = alloc.out_pasid;
	return ret;
}

int pasid_free(struct monitor *vmm, uint32_t pasid)
{
	struct iommu_pasid_free release = {
		.size = sizeof(release), .pasid = pasid,
	};

	return call(vmm->iommu, IOMMU_PASID_FREE, &release);
}

static int bind(struct monitor *vmm, struct device *dev,
		struct iommu_gpasid_bind_data *data)
{
	struct iommu_gpasid_bind bind = {
		.size = sizeof(bind), .dev_id = dev->id, .pt_id = vmm->parent,
		.data_uptr = (uintptr_t)data,
	};

	return call(vmm->iommu, IOMMU_GPASID_BIND, &bind);
}

/* The guest made an entry of its PASID table present: root is what it points to */
int pasid_bind(struct monitor *vmm, struct device *dev, uint32_t pasid,
	       uint64_t root, unsigned int width, uint64_t vtd_flags)
{
	struct iommu_gpasid_bind_data data = {
		.argsz = sizeof(data), .version = IOMMU_GPASID_BIND_VERSION_1,
		.format = IOMMU_PASID_FORMAT_INTEL_VTD, .addr_width = width,
		.gpgd = root, .hpasid = pasid, .vendor.vtd.flags = vtd_flags,
	};

	return bind(vmm, dev, &data);
}

/* The same for a number that the guest has chosen, which is the device's own */
int pasid_bind_local(struct monitor *vmm, struct device *dev, uint32_t pasid,
		     uint64_t root)
{
	struct iommu_gpasid_bind_data data = {
		.argsz = sizeof(data), .version = IOMMU_GPASID_BIND_VERSION_1,
		.format = IOMMU_PASID_FORMAT_INTEL_VTD, .addr_width = 48,
		.flags = IOMMU_SVA_GPASID_LOCAL, .gpgd = root, .hpasid = pasid,
	};

	return bind(vmm, dev, &data);
}

int pasid_unbind(struct monitor *vmm, struct device *dev, uint32_t pasid)
{
	struct iommu_gpasid_unbind unbind = {
		.size = sizeof(unbind), .dev_id = dev->id, .pasid = pasid,
	};

	return call(vmm->iommu, IOMMU_GPASID_UNBIND, &unbind);
}

/* Mainline's way to a PASID: what it goes through, or something else instead */
int pasid_attach(struct device *dev, uint32_t pasid, uint32_t pt_id)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach), .flags = VFIO_DEVICE_ATTACH_PASID,
		.pt_id = pt_id, .pasid = pasid,
	};

	return call(dev->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
}

int pasid_detach(struct device *dev, uint32_t pasid)
{
	struct vfio_device_detach_iommufd_pt detach = {
		.argsz = sizeof(detach), .flags = VFIO_DEVICE_DETACH_PASID,
		.pasid = pasid,
	};

	return call(dev->fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach);
}

struct iommu_cache_invalidate_info inv_range(uint32_t pasid, uint64_t va,
					     uint64_t granule, uint64_t nr)
{
	return (struct iommu_cache_invalidate_info) {
		.argsz = sizeof(struct iommu_cache_invalidate_info),
		.version = 1, .cache = IOMMU_CACHE_INV_TYPE_IOTLB,
		.granularity = IOMMU_INV_GRANU_ADDR,
		.granu.addr_info = {
			.flags = IOMMU_INV_ADDR_FLAGS_PASID, .pasid = pasid,
			.addr = va, .granule_size = granule, .nb_granules = nr,
		},
	};
}

struct iommu_cache_invalidate_info inv_pasid(uint32_t pasid)
{
	return (struct iommu_cache_invalidate_info) {
		.argsz = sizeof(struct iommu_cache_invalidate_info),
		.version = 1, .cache = IOMMU_CACHE_INV_TYPE_IOTLB,
		.granularity = IOMMU_INV_GRANU_PASID,
		.granu.pasid_info = {
			.flags = IOMMU_INV_PASID_FLAGS_PASID, .pasid = pasid,
		},
	};
}

struct iommu_cache_invalidate_info inv_domain(void)
{
	return (struct iommu_cache_invalidate_info) {
		.argsz = sizeof(struct iommu_cache_invalidate_info),
		.version = 1, .cache = IOMMU_CACHE_INV_TYPE_IOTLB,
		.granularity = IOMMU_INV_GRANU_DOMAIN,
	};
}

/*
 * The queue of invalidations of the guest, up to its wait. @results, if not NULL,
 * tells what came of each.
 */
int invalidate(struct monitor *vmm, struct device *dev,
	       const struct iommu_cache_invalidate_info *infos, unsigned int nr,
	       int32_t *results)
{
	struct iommu_gpasid_invalidate cmd = {
		.size = sizeof(cmd), .flags = IOMMU_GPASID_INVALIDATE_GO_ON,
		.dev_id = dev->id, .entry_len = sizeof(*infos),
		.data_uptr = (uintptr_t)infos, .entry_num = nr,
		.result_uptr = (uintptr_t)results,
	};

	return call(vmm->iommu, IOMMU_GPASID_INVALIDATE, &cmd);
}
