# SPDX-License-Identifier: GPL-2.0-only
# The console of a bed, to one line for every (sub)test: program, subtest, pass|fail|skip, reason. See results() in lib.sh.
# kselftest_harness.h runs each subtest in a child, and a KVM selftest that skips or fails prints TAP of its own there:
# what counts is the parent's line, the one that names the subtest announced by "#  RUN".

function emit(sub_, status, why) {
	gsub(/\t/, " ", why)
	printf "%s\t%s\t%s\t%s\n", name, sub_, status, why
	if (status == "fail") failed = 1
}
function ended(rc) {
	if (count == 0 && skipped_all) emit("-", "skip", reason)
	else if (plan >= 0 || count > 0) {
		if (plan >= 0 && count != plan) emit("-", "fail", "ended after " count " of " plan " subtests, exit code " rc)
		else if (rc != 0 && rc != 4 && !failed) emit("-", "fail", "exit code " rc)
	} else if (rc == 0) emit("-", "pass", "")
	else if (rc == 4) emit("-", "skip", reason)
	else if (rc == 124) emit("-", "fail", "did not end in time")
	else emit("-", "fail", "exit code " rc (message == "" ? "" : ": " message))
	name = ""
}

/^@@ BEGIN / {
	if (name != "") emit("-", "fail", "never ended")
	name = $3; plan = -1; count = 0; failed = 0; skipped_all = 0; running = ""; reason = ""; message = ""; grab = 0
	next
}
/^@@ END / { sub(/^rc=/, "", $4); if ($3 == name) ended($4 + 0); next }
name == "" { next }

/^#  RUN  / { running = $3; reason = ""; message = ""; next }
/^#      SKIP  / { sub(/^#      SKIP */, ""); reason = $0; next }
/^==== Test Assertion Failure ====/ { grab = 12; next }
grab > 0 && NF && !/^(not )?ok |^#/ {
	gsub(/^ +/, "")
	if ($0 !~ /^pid=|^sh: addr2line/ && $0 !~ /^[0-9]+\t/) message = message (message == "" ? "" : "; ") $0
	grab--
	next
}
/^# .*:Expected / { if (message == "") message = substr($0, 3); next }
/^1\.\.0 # SKIP/ {
	sub(/^1\.\.0 # SKIP *(- )?/, "")
	reason = $0
	if (running == "") { plan = 0; skipped_all = 1 }
	next
}
/^1\.\.[0-9]+$/ { if (running == "") plan = substr($0, 4) + 0; next }
/^(not )?ok [0-9]+/ {
	status = /^not/ ? "fail" : "pass"
	line = $0
	sub(/^(not )?ok [0-9]+ *(- )?/, "", line)
	directive = ""
	if (match(line, /# (SKIP|XFAIL|XPASS)/)) {
		directive = substr(line, RSTART + 2)
		line = substr(line, 1, RSTART - 1)
	}
	sub(/ *# .*$/, "", line)
	gsub(/^ +| +$/, "", line)
	if (line == "") {			# a child's own skip
		sub(/^SKIP *(- )?/, "", directive)
		if (directive != "") reason = directive
		next
	}
	if (running != "" && line != running) next
	why = ""
	if (directive ~ /^SKIP/) {
		status = "skip"
		why = directive
		sub(/^SKIP */, "", why)
		if (why == "" || why == "unknown") why = reason
	} else if (status == "fail") why = message
	count++
	emit(line, status, why)
	running = ""; reason = ""; message = ""; grab = 0
}
END { if (name != "") emit("-", "fail", "never ended") }
