# SPDX-License-Identifier: GPL-2.0-only
# Plot of set 3's showcase, as SVG on standard output.
# Usage: gnuplot -c bench/3-dirty-quota.gp DIRECTORY    (NAME.dat for each series that bench/3-dirty-quota.sh prints)
set terminal svg size 1040,960 font "sans-serif,13" background "#ffffff"
f(name) = ARG1 . "/" . name . ".dat"
base = "#c2570c"
patched = "#1d5fa8"
set multiplot layout 2,2
set border 3 lc rgb "#666666"
set tics nomirror textcolor rgb "#333333"
set grid ytics lc rgb "#e4e4e4" lw 1
set xlabel "interval"
set xrange [0:*] noextend
set yrange [0:*]
set offsets graph 0, graph 0, graph 0.25, graph 0
set key top left Left reverse samplen 2 spacing 1.25

set title "Bytes dirtied by each vCPU since the start (MiB)"
plot f("granted") w l lw 9 lc rgb "#d8d8d8" t "granted to each vCPU", \
	for [i=1:3] f("base-writer".i) w l lw 2 lc rgb base t (i == 1 ? "base: writers" : ""), \
	f("base-reader") w l lw 2 dt (6,4) lc rgb base t "base: reader", \
	for [i=1:3] f("patched-writer".i) w l lw 2 lc rgb patched t (i == 1 ? "patched: writers" : ""), \
	f("patched-reader") w l lw 2 dt (6,4) lc rgb patched t "patched: reader"

set title "Memory that is still to be sent (MiB)"
plot f("base-left") w lp lw 2 pt 7 ps 0.4 lc rgb base t "base", \
	f("patched-left") w lp lw 2 pt 7 ps 0.4 lc rgb patched t "patched"

green = "#2e8b57"
set offsets 0, 0, 0, 0
set title "Time to migrate, by that of one copy"
set xlabel "row of the source's table A"
set xrange [0.5:15.5]
set xtics 1
set logscale y
set yrange [0.9:100]
set ytics (1, 1.25, 2, 5, 10, 20, 50, "never" 80)
set key below center maxrows 3 samplen 1
plot f("source-current") w p pt 6 ps 1 lw 1.5 lc rgb "#aaaaaa" t "source: auto-converge", \
	f("source-quota") w p pt 7 ps 1 lc rgb "#bbbbbb" t "source: quota", \
	f("migrate-ac") w p pt 8 ps 1 lw 1.5 lc rgb base t "auto-converge", \
	f("migrate-ac-fast") w p pt 2 ps 0.7 lw 1.5 lc rgb base t "the same, faster", \
	f("migrate-ring") w p pt 4 ps 0.8 lw 1.5 lc rgb green t "limit by dirty ring", \
	f("migrate-quota") w p pt 7 ps 0.7 lc rgb patched t "quota"

unset logscale y
set title "Runtime of vCPUs during migration (%)"
set xlabel "workload of table B"
set xrange [-0.5:2.5]
set yrange [0:100]
set ytics 20
set xtics ("write-intensive" 0, "balanced" 1, "read-intensive" 2)
set style fill solid
set boxwidth 0.12
plot f("runtime-source-current") u ($1-0.35):2 w boxes lc rgb "#888888" t "source: auto-converge", \
	f("runtime-source-quota") u ($1-0.21):2 w boxes lc rgb "#bbbbbb" t "source: quota", \
	f("runtime-ac") u ($1-0.07):2 w boxes lc rgb base t "auto-converge", \
	f("runtime-ac-fast") u ($1+0.07):2 w boxes lc rgb "#e0a070" t "the same, faster", \
	f("runtime-ring") u ($1+0.21):2 w boxes lc rgb green t "limit by dirty ring", \
	f("runtime-quota") u ($1+0.35):2 w boxes lc rgb patched t "quota"
