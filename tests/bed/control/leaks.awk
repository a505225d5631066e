# leaks.awk - counts grants and event channels in the output of Xen's debug keys.
# First file: "domid name" a line. Second: xl dmesg after `e` and `g`.
# What the control domain maps (consoles, xenstore, the driver domain's root disk, whose
# persistent grants grow with use) is left out.

NR == FNR {
	name[$1] = $2
	next
}

/for domain [0-9]+:/ && /[Ee]vent channel/ {
	match($0, /domain [0-9]+/)
	owner = substr($0, RSTART + 7, RLENGTH - 7)
	seen[owner] = 1
	next
}

/^\(XEN\) +[0-9]+ \[[0-9]+\/[0-9]+\// {
	ports[owner]++
	next
}

/grant-table for remote d[0-9]+/ {
	match($0, /remote d[0-9]+/)
	granter = substr($0, RSTART + 8, RLENGTH - 8)
	seen[granter] = 1
	next
}

/^\(XEN\) \[0x[0-9a-f]+\]/ {
	sub(/^.*\] +/, "")
	if ($1 == 0)
		next
	grants[granter]++
	maps[$1]++
}

END {
	for (id in seen) {
		if (id == 0)
			continue
		label = (id in name) && name[id] != "(null)" ? name[id] : "dying-" id
		print label, grants[id] + 0, ports[id] + 0, maps[id] + 0
	}
}
