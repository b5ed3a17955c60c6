# SPDX-License-Identifier: GPL-2.0-only
# Plot of set 1's showcase, as SVG on standard output.
# Usage: gnuplot -c bench/1-lockless-aging.gp DIRECTORY    (NAME.dat for each series that bench/1-lockless-aging.sh prints)
set terminal svg size 1040,430 font "sans-serif,13" noenhanced background "#ffffff"
f(name) = ARG1 . "/" . name . ".dat"
base = "#c2570c"
patched = "#1d5fa8"
set multiplot layout 1,2
set border 3 lc rgb "#666666"
set tics nomirror textcolor rgb "#333333"
set grid ytics lc rgb "#e4e4e4" lw 1
set logscale y
set yrange [0.7:2e8]
set ytics 100 format "%.0s%c"
set bmargin 3.5
set xrange [-0.6:2.6]
set xtics ("TDP MMU" 0, "direct\nshadow MMU" 1, "shadow\npaging" 2)
set boxwidth 0.36
set style fill solid 0.85 noborder
set key top right Left reverse samplen 2 spacing 1.25
bar(y) = y > 0 ? y : 0.8

set title "mmu_lock taken for write while 128 MiB are aged twice"
plot f("base-write") u ($1-0.19):(bar($2)) w boxes lc rgb base t "base", \
	f("patched-write") u ($1+0.19):(bar($2)) w boxes lc rgb patched t "patched", \
	f("base-write") u ($1-0.19):(bar($2)*1.5):(sprintf("%.0f", $2)) w labels tc rgb "#333333" notitle, \
	f("patched-write") u ($1+0.19):(bar($2)*1.5):(sprintf("%.0f", $2)) w labels tc rgb "#333333" notitle

set title "Waits for mmu_lock: 16 MiB populated and aged"
plot f("base-waits") u ($1-0.19):(bar($2)) w boxes lc rgb base t "base", \
	f("patched-waits") u ($1+0.19):(bar($2)) w boxes lc rgb patched t "patched", \
	f("base-waits") u ($1-0.19):(bar($2)*1.5):(sprintf("%.0f", $2)) w labels tc rgb "#333333" notitle, \
	f("patched-waits") u ($1+0.19):(bar($2)*1.5):(sprintf("%.0f", $2)) w labels tc rgb "#333333" notitle
