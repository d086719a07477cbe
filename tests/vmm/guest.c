// SPDX-License-Identifier: GPL-2.0-only
/* Page tables of x86, as a guest writes them into its memory. */
#include <string.h>

#include "vmm.h"

/* An empty table; the first pages of the guest's memory are for these */
uint64_t guest_table(struct monitor *vmm)
{
	uint64_t table = vmm->tables;

	vmm->tables += PAGE;
	memset(monitor_at(vmm, table), 0, PAGE);
	return table;
}

/* The entry that maps @size bytes at @va; tables on the way are made */
uint64_t *guest_entry(struct monitor *vmm, uint64_t root, unsigned int width,
		      uint64_t va, uint64_t size)
{
	unsigned int shift = width == 57 ? 48 : 39;
	uint64_t *entry;

	for (;; shift -= 9) {
		entry = monitor_at(vmm, root);
		entry += va >> shift & 511;
		if (size >> shift)
			return entry;
		if (!(*entry & GUEST_P))
			*entry = guest_table(vmm) | GUEST_RW;
		root = *entry & ~0xfffULL;
	}
}

/* Map one page of 4 KiB, 2 MiB or 1 GiB, or take it away with @bits 0 */
void guest_map(struct monitor *vmm, uint64_t root, unsigned int width,
	       uint64_t va, uint64_t gpa, uint64_t size, uint64_t bits)
{
	uint64_t *entry = guest_entry(vmm, root, width, va, size);

	if (size != PAGE)
		bits |= GUEST_PS;
	__atomic_store_n(entry, bits & GUEST_P ? gpa | bits : 0,
			 __ATOMIC_SEQ_CST);
}
