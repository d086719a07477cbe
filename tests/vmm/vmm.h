/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A monitor in miniature: the memory of a guest, a device that VFIO has assigned
 * to it, the guest's page tables, and the calls of /dev/iommu that let the device
 * walk them. Functions return 0 or a negative errno, unless said otherwise.
 */
#ifndef VMM_H
#define VMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/iommu.h>
#include <linux/iommufd.h>

/*
 * Where the guest has its memory: not below, where the MSI window would lie.
 * Each guest maps all of it, so it is small; a page of 2 MiB fits. The first
 * half is for page tables.
 */
#define GUEST_BASE	0x40000000ULL
#define GUEST_SIZE	(8ULL << 20)
#define GUEST_DATA	(GUEST_BASE + GUEST_SIZE / 2)
#define PAGE		4096ULL

/* monitor.c: what a virtual machine monitor asks the kernel for */

struct monitor {
	int iommu;		/* /dev/iommu */
	uint32_t ioas;		/* guest physical addresses -> memory */
	uint32_t parent;	/* the stage 2 that is made of it */
	char *memory;		/* of the guest, GUEST_SIZE bytes at GUEST_BASE */
	uint64_t tables;	/* where guest.c takes the next page for a table */
};

struct device {
	int fd;			/* /dev/vfio/devices/vfioN */
	uint32_t id;		/* on /dev/iommu */
	volatile uint32_t *bar;
	size_t bar_size;
	unsigned int slot;	/* pasid_dma.c: the next one to use */
};

char *monitor_memory(void);
int monitor_open_with(struct monitor *vmm, char *memory);
int monitor_open(struct monitor *vmm);
void monitor_close(struct monitor *vmm);
int monitor_map(struct monitor *vmm, uint64_t gpa, uint64_t len, bool write);
int monitor_unmap(struct monitor *vmm, uint64_t gpa, uint64_t len);
void *monitor_at(struct monitor *vmm, uint64_t gpa);
int monitor_quota(struct monitor *vmm, uint32_t quota);
int monitor_destroy(struct monitor *vmm, uint32_t id);
int monitor_track(struct monitor *vmm, bool on);
int monitor_dirty(struct monitor *vmm, uint64_t gpa);

int device_start(struct device *dev);
int device_open(struct monitor *vmm, struct device *dev, unsigned int nr);
int mock_open(struct monitor *vmm, struct device *dev);
void device_close(struct device *dev);
int device_alloc_parent_with(struct monitor *vmm, struct device *dev,
			     uint32_t flags);
int device_alloc_parent(struct monitor *vmm, struct device *dev);
int device_alloc_nested(struct monitor *vmm, struct device *dev, uint64_t root,
			uint64_t flags, uint32_t *pt_id);
int device_alloc_faulting(struct monitor *vmm, struct device *dev, uint64_t root,
			  uint32_t *pt_id, int *fault);
int device_invalidate(struct monitor *vmm, uint32_t pt_id, uint64_t va,
		      uint64_t pages);
int device_attach(struct device *dev, uint32_t pt_id);
int device_detach(struct device *dev);
int device_reset(struct device *dev);

int pasid_alloc(struct monitor *vmm, uint32_t *pasid);
int pasid_free(struct monitor *vmm, uint32_t pasid);
int pasid_bind(struct monitor *vmm, struct device *dev, uint32_t pasid,
	       uint64_t root, unsigned int width, uint64_t vtd_flags);
int pasid_bind_local(struct monitor *vmm, struct device *dev, uint32_t pasid,
		     uint64_t root);
int pasid_unbind(struct monitor *vmm, struct device *dev, uint32_t pasid);
int pasid_alloc_nested(struct monitor *vmm, struct device *dev, uint64_t root,
		       unsigned int width, uint32_t *pt_id);
int pasid_attach(struct device *dev, uint32_t pasid, uint32_t pt_id);
int pasid_detach(struct device *dev, uint32_t pasid);

struct iommu_cache_invalidate_info inv_range(uint32_t pasid, uint64_t va,
					     uint64_t granule, uint64_t nr);
struct iommu_cache_invalidate_info inv_pasid(uint32_t pasid);
struct iommu_cache_invalidate_info inv_domain(void);
int invalidate(struct monitor *vmm, struct device *dev,
	       const struct iommu_cache_invalidate_info *infos, unsigned int nr,
	       int32_t *results);

/* counts.c: what is in use, and what the kernel did */

struct in_use {
	int pasids;
	int domain_ids;
	int entries;		/* of PASID tables, that are present */
};

long number_in(const char *path, const char *name);
int pasids_in_use(void);
int unit_domain_ids(void);
int unit_pasid_entries(void);
struct in_use in_use(void);

#define TRACING		"/sys/kernel/tracing/"

void put(const char *path, const char *text);
unsigned int traced(const char *text, pid_t task);
unsigned int logged(const char *text);

/* guest.c: what the guest does in its memory */

#define GUEST_P		(1ULL << 0)
#define GUEST_W		(1ULL << 1)
#define GUEST_U		(1ULL << 2)
#define GUEST_A		(1ULL << 5)
#define GUEST_D		(1ULL << 6)
#define GUEST_PS	(1ULL << 7)
#define GUEST_RW	(GUEST_P | GUEST_W | GUEST_U)
#define GUEST_RO	(GUEST_P | GUEST_U)

uint64_t guest_table(struct monitor *vmm);
uint64_t *guest_entry(struct monitor *vmm, uint64_t root, unsigned int width,
		      uint64_t va, uint64_t size);
void guest_map(struct monitor *vmm, uint64_t root, unsigned int width,
	       uint64_t va, uint64_t gpa, uint64_t size, uint64_t bits);

/* pasid_dma.c: the driver of the device, see Documentation/pasid-dma.md */

struct dma {
	uint32_t op;		/* PDMA_OP_* and PDMA_CMD_* */
	uint32_t pasid;		/* 0: without one */
	uint64_t src;
	uint64_t dst;
	uint32_t len;
	uint32_t repeat;
	uint64_t data;
	/* filled in */
	uint32_t status;	/* PDMA_ST_*, reason, and type of the request */
	uint64_t result;
};

void dma_start(struct device *dev, struct dma *dma);
int dma_wait(struct device *dev, struct dma *dma);
int dma_run(struct device *dev, struct dma *dma);
int dma_read(struct device *dev, uint32_t request, uint32_t pasid, uint64_t va,
	     unsigned int *reason);
int dma_write(struct device *dev, uint32_t request, uint32_t pasid, uint64_t va,
	      char byte, unsigned int *reason);
uint64_t dma_count(struct device *dev, unsigned int counter);
#define NEVER		0x7fffffff	/* answers that a device will not give */
void dma_fail(struct device *dev, unsigned int answers, bool bad);
void dma_answer_after(struct device *dev, uint32_t us);
void dma_pace(struct device *dev, uint32_t ns);
uint32_t dma_pages_wanted(struct device *dev);

#define DMA_CODE(dma)	((dma)->status & 0xff)
#define DMA_REASON(dma)	((dma)->status >> 8 & 0xff)

#endif
