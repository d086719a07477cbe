#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Print C that only compiles if descriptions for syzkaller fit the kernel's headers.

usage: to_c.py DESCRIPTIONS

Of each structure the place and size of every member is asserted, and its own size;
each constant is used.
"""
import re
import sys

# Members that the kernel has in a union of the structure
INSIDE = {("iommu_gpasid_bind_data", "vtd"): "vendor.vtd"}
MOCK = {"out_stdev_id", "out_hwpt_id", "out_idev_id", "dev_flags"}


def blocks(text):
    """(name, is it a union, [(member, type)], has it a size of its own)"""
    for found in re.finditer(r"^(\w+)(?:\$\w+)? ([{\[])\n(.*?)^[}\]]([^\n]*)$", text,
                             re.M | re.S):
        members = re.findall(r"^\t(\w+)\t+([^\t\n]+)", found[3], re.M)
        yield found[1], found[2] == "[", members, "size[" in found[4]


def size_of(kind, sizes):
    if kind in sizes:
        return sizes[kind]
    if kind.startswith("ptr64"):
        return 8
    if kind.startswith(("pasid_", "ioas_handle")):
        return 4
    count = re.search(r"^array\[.*, (\d+)\]$", kind)
    bits = re.search(r"int(\d+)", kind)
    return int(bits[1]) // 8 * int(count[1] if count else 1)


def sizes_of(all_blocks):
    """Structures that stand in others come behind them, so more than one pass."""
    sizes = {}
    for _ in all_blocks:
        for name, union, members, _ in all_blocks:
            try:
                parts = [size_of(kind, sizes) for _, kind in members]
            except TypeError:       # not known yet
                continue
            sizes[name] = max(parts) if union else sum(parts)
    return sizes


def print_block(name, members, sizes, open_end):
    offset = 0
    for member, kind in members:
        path = INSIDE.get((name, member), member)
        if name == "iommu_test_cmd" and member in MOCK:
            path = "mock_domain_flags." + member
        size = size_of(kind, sizes)
        print(f'_Static_assert(offsetof(struct {name}, {path}) == {offset} &&\n'
              f'\tsizeof(((struct {name} *)0)->{path}) == {size}, '
              f'"{name}.{member}");')
        offset += size
    if not open_end:
        print(f'_Static_assert(sizeof(struct {name}) == {offset}, "{name}");')


def main():
    with open(sys.argv[1], encoding="utf-8") as descriptions:
        text = re.sub(r"^#.*\n", "", descriptions.read(), flags=re.M)
    print("#include <stddef.h>\n#include <linux/iommu.h>\n"
          "#include <linux/iommufd.h>\n#include <linux/iommufd_test.h>")
    all_blocks = list(blocks(text))
    sizes = sizes_of(all_blocks)
    for name, union, members, open_end in all_blocks:
        if not union:
            print_block(name, members, sizes, open_end)
    values = re.sub(r"\$\w+", "", text)
    for name in sorted(set(re.findall(r"\b(?:IOMMU|MOCK)_\w+", values))):
        if name != "IOMMU_TEST_CMD_SIZE":       # syzkaller's own
            print(f"unsigned long use_{name} = {name};")


if __name__ == "__main__":
    main()
