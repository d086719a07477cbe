# SPDX-License-Identifier: GPL-2.0-only
#
# For gnuplot, by tests/bench/plot: two pictures of the file "data" in the directory dir.

data = dir."/data"
set datafile missing "-"
set style line 1 lc rgb "#0060a8" lw 2 pt 7 ps 0.8
set style line 2 lc rgb "#d05800" lw 2 pt 5 ps 0.8
set style line 3 lc rgb "#555555" lw 2 pt 9 ps 1
set style line 4 lc rgb "#00805a" lw 2 pt 13 ps 1
set style line 11 lc rgb "#0060a8" lw 1 pt 6 ps 1.5
set style line 12 lc rgb "#d05800" lw 1 pt 4 ps 1.5
set style line 20 lc rgb "#d8d8d8" lw 1
set border 3 lc rgb "#555555"
set tics nomirror scale 0.5
set logscale x

set terminal svg size 860,280 noenhanced font "sans-serif,12" background "white"
set output dir."/allocator.svg"
set multiplot layout 1,2
set key bottom right
set grid y ls 20
set xlabel "IDs in use"
set xtics ("1" 1, "1000" 1000, "100 000" 100000, "million" 1000000)
set xrange [0.7:1500000]
set offsets 0, 0, graph 0.05, 0
set yrange [0:*]
set title "Instructions to allocate and to free an ID"
plot for [i = 2:4] data index "both" using 1:i with linespoints ls i - 1 \
	title columnheader(i)
set title "Instructions to look an ID up"
plot for [i = 2:5] data index "find" using 1:i with linespoints ls i - 1 \
	title columnheader(i)
unset multiplot

set terminal svg size 800,560 noenhanced font "sans-serif,12" background "white"
set output dir."/requests.svg"
set multiplot layout 2,1
unset xlabel
set key outside right center Left reverse samplen 1 width 3
set grid x y ls 20
set lmargin 38
set offsets 0, 0, 0.6, 0.6
set yrange [*:*] reverse
set xrange [0.8:1000]
set xtics auto
set title "What VT-d is given for an operation"
plot data index "flushes" using 2:0:ytic(1) with points ls 1 title columnheader(2), \
	"" index "flushes" using 3:0 with points ls 11 title columnheader(3), \
	"" index "flushes" using 4:0 with points ls 2 title columnheader(4), \
	"" index "flushes" using 5:0 with points ls 12 title columnheader(5)
set xrange [20:200000]
set title "Instructions to trace a request to invalidate"
plot data index "tools" using 2:0:ytic(1) with points ls 1 title columnheader(2), \
	"" index "tools" using 3:0 with points ls 12 title columnheader(3)
unset multiplot
