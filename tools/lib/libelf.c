// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two functions that libelf.a of Debian 13 calls and does not have: elfutils
 * 0.192 forgot them in its archives (sourceware.org bug 32293).
 *
 * They set up and free the tree of chunks that elf_getdata_rawchunk() hands
 * out. Nothing here calls that, or it would not link either, so the tree is
 * always empty and zero, as the Elf around it was allocated. Weak, so that they
 * do not clash with those of an archive that has them.
 */
void eu_search_tree_init(void *tree);
void eu_search_tree_fini(void *tree, void (*free_node)(void *node));

__attribute__((weak)) void eu_search_tree_init(void *tree)
{
	(void)tree;
}

__attribute__((weak)) void eu_search_tree_fini(void *tree,
					       void (*free_node)(void *node))
{
	(void)tree;
	(void)free_node;
}
