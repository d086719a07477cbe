# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# build/tree, the series as a git repository: one commit "base" (tag base),
# then one commit per patch on branch series. Scripts source it after lib.sh.
#
# refs/nested-sva/exported is the commit that patches/ is known to equal.

# shellcheck disable=SC2034,SC2154 # to its user, from lib.sh
repo=${REPO:-$build/tree}
shown=${repo#"$root/"}

# The user's setting, or nothing
setting() {
	git -C "$root" config "$@" || [ $? -eq 1 ] || die "git config fails, see above"
}

author_name=$(setting user.name)
author_mail=$(setting user.email)
trusted=$(setting --get-all safe.directory)

# Other settings (diff.noprefix, format.signOff, ..) must not change what a patch
# looks like, nor what a commit's id is.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_ATTR_NOSYSTEM=1
export GIT_CONFIG_KEY_0=core.attributesFile GIT_CONFIG_VALUE_0=/dev/null
export GIT_CONFIG_COUNT=1
while IFS= read -r dir; do
	export "GIT_CONFIG_KEY_$GIT_CONFIG_COUNT=safe.directory"
	export "GIT_CONFIG_VALUE_$GIT_CONFIG_COUNT=$dir"
	GIT_CONFIG_COUNT=$((GIT_CONFIG_COUNT + 1))
done <<END
$trusted
END
# If the repository is broken, git shall not find the one of the project.
GIT_CEILING_DIRECTORIES=$(dirname "$repo")
export GIT_CEILING_DIRECTORIES
export GIT_COMMITTER_NAME="${author_name:-nested-sva}"
export GIT_COMMITTER_EMAIL="${author_mail:-nested-sva@localhost}"

tgit() {
	git -C "$repo" "$@"
}

# The same for questions, where an empty answer means something.
ask() {
	tgit "$@" || die "git $1 fails in $shown, see above; it is as it was"
}

am_options='-q --keep-non-patch --no-scissors --no-gpg-sign
	--committer-date-is-author-date'

# Applies patch files on top of base and prints the resulting commit. This is
# done beside the work tree, in a checkout of only the touched files: work in
# build/tree is in no danger, and a failure leaves nothing behind.
am_patches() {
	am=$tmp/am am_failed=
	# shellcheck disable=SC2086 # a list
	{
		tgit worktree prune &&
		tgit worktree add -q --no-checkout --detach "$am" base &&
		touched "$@" | sed 's|^|/|' |
			git -C "$am" sparse-checkout set --no-cone --stdin &&
		git -C "$am" checkout -q &&
		{ [ $# -eq 0 ] ||
			git -C "$am" am $am_options --no-3way -- "$@"; } &&
		git -C "$am" rev-parse HEAD >"$tmp/am.head"
	} >"$tmp/am.log" 2>&1 || am_failed=1
	tgit worktree remove --force "$am" && [ -z "$am_failed" ] &&
		cat "$tmp/am.head"
}

# An unfinished rebase or am in the tree would make HEAD mean something else.
refuse_unfinished() {
	for state in rebase-apply rebase-merge MERGE_HEAD CHERRY_PICK_HEAD; do
		[ ! -e "$repo/.git/$state" ] ||
			die "$repo: a rebase, am, merge or cherry-pick is not" \
			"finished there; see \`git status'"
	done
}
