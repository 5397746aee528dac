# SPDX-License-Identifier: MIT
#
# fill.awk - put results into a document: awk -f fill.awk RESULTS DOCUMENT
#
# Prints the document with all between its lines "<!-- results -->" and
# "<!-- end of results -->" replaced.

NR == FNR {
	results = results $0 "\n"
	next
}
/^<!-- end of results -->$/ {
	inside = 0
}
!inside {
	print
}
/^<!-- results -->$/ {
	printf "\n%s\n", results
	inside = found = 1
}
END {
	if (!found || inside) {
		print "fill.awk: no place for results" >"/dev/stderr"
		exit 1
	}
}
