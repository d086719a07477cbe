# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# build/tree, the series as a git repository: one commit "base" (tag base),
# then one commit per patch on branch series. Sourced after lib.sh.
#
# refs/nested-sva/exported is the commit that patches/ is known to equal.

# shellcheck disable=SC2034,SC2154 # to its user, from lib.sh
repo=${REPO:-$build/tree}
shown=${repo#"$root/"}
author_name=$(git -C "$root" config user.name) || author_name=
author_mail=$(git -C "$root" config user.email) || author_mail=

# The user's own settings (diff.noprefix, format.signOff, ..) must not change
# what a patch looks like, nor what a commit's id is.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
export GIT_COMMITTER_NAME="${author_name:-nested-sva}"
export GIT_COMMITTER_EMAIL="${author_mail:-nested-sva@localhost}"

tgit() {
	git -C "$repo" "$@"
}

# Applies patch files on top of base and prints the resulting commit. This is
# done beside the work tree, in a checkout of only the touched files: work in
# build/tree is in no danger, and a failure leaves nothing behind.
am_patches() {
	tgit worktree prune
	am=$tmp/am
	tgit worktree add -q --no-checkout --detach "$am" base
	touched "$@" | sed 's|^|/|' |
		git -C "$am" sparse-checkout set --no-cone --stdin 2>"$tmp/am.log"
	git -C "$am" checkout -q 2>>"$tmp/am.log"
	if [ $# -gt 0 ]; then
		git -C "$am" am -q --keep-non-patch --no-scissors --no-3way \
			--no-gpg-sign --committer-date-is-author-date \
			-- "$@" >>"$tmp/am.log" 2>&1 || am_failed=1
	fi
	git -C "$am" rev-parse HEAD
	tgit worktree remove --force "$am"
	[ -z "${am_failed-}" ]
}

# An unfinished rebase or am in the tree would make HEAD mean something else.
refuse_unfinished() {
	for state in rebase-apply rebase-merge MERGE_HEAD CHERRY_PICK_HEAD; do
		[ ! -e "$repo/.git/$state" ] ||
			die "$repo: a rebase, am, merge or cherry-pick is not" \
			"finished there; see \`git status'"
	done
}
