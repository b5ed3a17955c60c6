# SPDX-License-Identifier: GPL-2.0-only
# Plot of set 2's showcase, as SVG on standard output.
# Usage: gnuplot -c bench/2-eager-split.gp DIRECTORY    (NAME.dat for each series that bench/2-eager-split.sh prints)
set terminal svg size 1040,640 font "sans-serif,13" noenhanced background "#ffffff"
f(name) = ARG1 . "/" . name . ".dat"
base = "#c2570c"
patched = "#1d5fa8"
set multiplot layout 2,3
set border 3 lc rgb "#666666"
set tics nomirror textcolor rgb "#333333"
set grid ytics lc rgb "#e4e4e4" lw 1
set bmargin 3.5
set key top right Left reverse samplen 2 spacing 1.1

set title "Faults, 20 % of 8192 pages written"
set xrange [-0.6:4.6]
set yrange [0:11500]
set xtics ("TDP\nMMU" 0, "direct\nshadow" 1, "shadow\npaging" 2, "L2, TDP\nMMU" 3, "L2,\ndirect" 4) font ",9"
set boxwidth 0.36
set style fill solid 0.85 noborder
plot f("base-faults") u ($1-0.19):2 w boxes lc rgb base t "base", \
	f("patched-faults") u ($1+0.19):2 w boxes lc rgb patched t "patched", \
	f("base-faults") u ($1-0.19):($2+300):(sprintf("%.0f", $2)) w labels font ",8" tc rgb "#333333" notitle, \
	f("patched-faults") u ($1+0.19):($2+300):(sprintf("%.0f", $2)) w labels font ",8" tc rgb "#333333" notitle

set xrange [0.8:10]
set xtics (1, 2, 4, 8) font ",13"
set xlabel "vCPUs" offset 0,0.7
set logscale xy
set yrange [0.05:50]
set ytics (0.1 , 0.3, 1, 3, 10, 30)
modes = "tdp_mmu=Y tdp_mmu=N npt=0"
names = "TDP direct shadow"
colors = "#1d5fa8 #2a8a4a #8a4a9e"
times = "write100 write20 enable clear1 clear2"
array title_of[5] = ["Iteration 1, all written", "Iteration 1, 20 % written", "Enabling the log", "First clear", "Second clear"]
do for [i=1:5] {
	set title title_of[i] . ", time / base"
	plot 1 w l lc rgb "#999999" notitle, \
		for [m=1:3] f(word(times, i) . "-Y-" . word(modes, m)) u 1:2 w lp pt 7 ps 0.5 lw 1.6 lc rgb word(colors, m) t (i == 1 ? word(names, m) : ""), \
		for [m=1:3] f(word(times, i) . "-N-" . word(modes, m)) u 1:2 w lp pt 6 ps 0.5 lw 1.2 dt 2 lc rgb word(colors, m) notitle
}
