# SPDX-License-Identifier: GPL-2.0-only
# Plot of set 4's showcase, as SVG on standard output.
# Usage: gnuplot -c bench/4-page-reporting.gp DIRECTORY    (NAME.dat for each series that bench/4-page-reporting.sh prints)
set terminal svg size 1040,380 font "sans-serif,13" noenhanced background "#ffffff"
f(name) = ARG1 . "/" . name . ".dat"
base = "#c2570c"
patched = "#1d5fa8"
on = "#2a8a4a"
set multiplot layout 1,2
set border 3 lc rgb "#666666"
set tics nomirror textcolor rgb "#333333"
set grid ytics lc rgb "#e4e4e4" lw 1
set bmargin 4
set key top right Left reverse samplen 2 spacing 1.1

set title "Held by QEMU beyond what the guest uses (MiB)"
set xlabel "seconds" offset 0,0.5
set yrange [-100:*]
plot f("base-idle") w l lw 2 lc rgb base t "base", \
	f("patched-idle") w l lw 2 dt 2 lc rgb patched t "patched, defaults", \
	f("patched-on") w l lw 2 lc rgb on t "patched, cache_idle_ms"

set title "Reported during 30 s of churn (MiB)"
unset xlabel
set xrange [-0.6:2.6]
set yrange [0:*]
set xtics ("base" 0, "patched" 1, "patched,\nmin_age_ms" 2)
set boxwidth 0.5
set style fill solid 0.85 noborder
plot f("churn-base") w boxes lc rgb base notitle, f("churn-patched") w boxes lc rgb patched notitle, \
	f("churn-age") w boxes lc rgb on notitle, \
	for [s in "churn-base churn-patched churn-age"] f(s) u 1:2:(sprintf("%.0f", $2)) w labels offset 0,0.6 notitle
