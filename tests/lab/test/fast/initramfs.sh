#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/lab/vm/initramfs: what is in it, and when it is built anew.

root=$(CDPATH='' cd "$(dirname "$0")/../../../.." && pwd)
vm=$root/tests/lab/vm
# shellcheck source-path=SCRIPTDIR source=../../ktap.sh
. "$root/tests/lab/ktap.sh"
workdir
image=$work/image
mkdir "$work/kernel" "$work/tools" "$work/more"
cp /bin/true "$work/tools/tool-a"
echo '#!/bin/sh' >"$work/more/tool-b"
echo 'not executable' >"$work/more/text"
chmod +x "$work/more/tool-b"

pack() {
	"$vm/initramfs" "$image" "$work/kernel" "$work/tools" \
		"$work/more:/elsewhere"
}

holds() {
	cpio --quiet -t <"$image" | grep -qx "$1"
}

# The linker by its path: a dynamic program is of no use without it.
holds_libraries_of() {
	libraries=$(ldd "$1" | sed -nE 's|^[^/]*/([^ ]+) \(0x.*|\1|p')
	for library in $libraries; do
		holds "$library" || { echo "no $library"; return 1; }
	done
	[ -n "$libraries" ]
}

changes() { # CMD..: whether it leaves another image than before
	before=$(stat -c '%i %Y %s' "$image")
	"$@" && pack && [ "$before" != "$(stat -c '%i %Y %s' "$image")" ]
}

stays() {
	! changes "$@"
}

check "it is packed" pack
for file in init lib/ktap.sh bin/busybox bin/trace-cmd bin/jq bin/tool-a \
	elsewhere/tool-b; do
	check "it holds $file" holds "$file"
done
check "and the libraries of jq" holds_libraries_of "$(command -v jq)"
check "but no file that is not executable" sh -c \
	"! cpio --quiet -t <'$image' | grep -q text"
check "unchanged inputs: it is not packed again" stays true
cp "$image" "$work/first"
check "an input touched: packed again" changes touch -d '1 hour ago' \
	"$work/tools/tool-a"
check "to the same bytes" cmp "$work/first" "$image"
check "a directory that is missing is an error" \
	sh -c "! '$vm/initramfs' '$image' '$work/kernel' '$work/none'"
finish
