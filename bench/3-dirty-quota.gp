# SPDX-License-Identifier: GPL-2.0-only
# Plot of set 3's showcase, as SVG on standard output.
# Usage: gnuplot -c bench/3-dirty-quota.gp DIRECTORY    (NAME.dat for each series that bench/3-dirty-quota.sh prints)
set terminal svg size 1040,430 font "sans-serif,13" background "#ffffff"
f(name) = ARG1 . "/" . name . ".dat"
base = "#c2570c"
patched = "#1d5fa8"
set multiplot layout 1,2
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
