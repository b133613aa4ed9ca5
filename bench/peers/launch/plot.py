"""Plots the rows on standard input (JSON) into the file that is named; run by an interpreter that has matplotlib."""

import json
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "dragoman"
import matplotlib.pyplot as plt  # noqa: E402 - after the choice of the backend

rows = [row for row in json.load(sys.stdin) if row["model"] == "tiny"]
lanes = list(dict.fromkeys(row["lane"] for row in rows))
panels = (
    ("cores", "cores, all streams"),
    ("final_p95_s", "final p95, s after speech"),
    ("first_p50_s", "first text, s"),
)
figure, axes = plt.subplots(1, len(panels), figsize=(13, 4), layout="constrained")
for axis, (name, title) in zip(axes, panels, strict=True):
    for at, lane in enumerate(lanes):
        points = sorted((row["streams"], row[name]) for row in rows if row["lane"] == lane and row[name] is not None)
        ours = lane == "Dragoman"
        style = {"linewidth": 2.5, "zorder": 9} if ours else {"linestyle": "--" if "beam" in lane else "-"}
        axis.plot(*zip(*points, strict=True), marker="o", markersize=4, color=f"C{at}", label=lane, **style)
    axis.set_xscale("log", base=2)
    axis.set_xticks([1, 2, 4, 8, 16], ["1", "2", "4", "8", "16"])
    axis.set_xlabel("streams")
    axis.set_title(title, fontsize=10)
    axis.grid(alpha=0.3)
    axis.set_ylim(bottom=0)
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8, frameon=False)
figure.savefig(sys.argv[1], metadata={"Date": None})
