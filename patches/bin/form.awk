# SPDX-License-Identifier: GPL-2.0-only
#
# The form of one patch file: prints "LINE: what is wrong" for each defect.
# Text that git am drops or changes is a defect, since build/tree would lose it.

function bad(what)
{
	print FNR ": " what
}

function end_of_subject()
{
	if (subject == "")
		return
	if (subject !~ /^\[PATCH\] /)
		bad("the subject does not begin with [PATCH] (numbers change too often)")
	sub(/^\[[^]]*\] /, "", subject)
	if (length(subject) > 75)
		bad("subject of " length(subject) " characters, 75 is the limit")
	if (subject !~ /^[A-Za-z][^ ]*:( [a-z][^ ]*:)* [A-Z]/)
		bad("subject is not \"area: Verb and object\"")
	if (subject ~ /\.$/)
		bad("subject ends in a full stop")
	subject = ""
}

BEGIN {
	where = "header"
	people = "^(signed-off|reviewed|tested|acked|co-developed|reported|suggested)-by:"
	zero = "^From 0000000000000000000000000000000000000000 "
}

FNR == 1 && $0 !~ zero { bad("not written by make export (From line)") }

where == "header" && /^$/ {
	end_of_subject()
	if (!from || !date || !named)
		bad("From:, Date: or Subject: is missing")
	where = "message"
	next
}
where == "header" {
	if (/^[ \t]/ && in_subject) {
		subject = subject $0
		next
	}
	in_subject = 0
	if (/^From: .*<.*@.*>/ || (last ~ /^From: / && /^ <.*@.*>/))
		from = 1
	if (/^Date: /)
		date = 1
	if (sub(/^Subject: /, "")) {
		subject = $0
		in_subject = named = 1
	}
	last = $0
	next
}

where == "message" && /^---$/ {
	if (lines < 3)
		bad("the message says too little: " lines + 0 " lines")
	where = "stat"
	next
}
where == "message" {
	if (/[^ \t]/)
		lines++
	if (tolower($0) ~ people)
		bad("a person's trailer: whoever submits the patch adds it")
	if (length($0) > 75 && !/https?:/ && !/^(\t|    )/ && !/^Fixes: /)
		bad("message line of " length($0) " characters, 75 is the limit")
	if (/[ \t]$/)
		bad("blank at the end of a message line")
	if (tolower($0) ~ /^this (patch|commit)/)
		bad("say what to do, not what this patch does")
	if (/^diff / || /^Index: /)
		bad("git am takes this line for the beginning of the diff")
	next
}

where == "stat" && /^diff --git / { where = "diff" }
where == "stat" && !/^$/ && !/^ .* \| +[0-9]+/ && !/^ .* \| +Bin / &&
!/^ [0-9]+ files? changed/ && !/^ (create|delete|mode) / {
	bad("text below --- is lost in git am")
}

where == "diff" && (old > 0 || new > 0) {
	mark = substr($0, 1, 1)
	if (mark == " " || $0 == "") { old--; new-- }
	else if (mark == "-") old--
	else if (mark == "+") {
		new--
		if (/[ \t]$/)
			bad("blank at the end of an added line")
	}
	else if (mark != "\\") { bad("hunk ends too early"); old = new = 0 }
	next
}
where == "diff" && /^@@ / {
	split($2, left, ",")
	split($3, right, ",")
	old = left[2] == "" ? 1 : left[2] + 0
	new = right[2] == "" ? 1 : right[2] + 0
	next
}
where == "diff" && /^diff --git / {
	files++
	if (/"/)
		bad("file name with special characters")
	next
}
where == "diff" && /^(rename|copy|similarity) / { bad("a rename: export writes none"); next }
where == "diff" && /^GIT binary patch|^Binary files / { bad("binary file"); next }
where == "diff" && !/^(---|\+\+\+) / && !/^index / && !/^\\ No newline/ &&
!/^(new file|deleted file|old|new) mode / {
	bad("text after the diff")
}

END {
	if (where != "diff" || !files)
		bad("there is no diff")
	if (old > 0 || new > 0)
		bad("the last hunk is cut off")
}
