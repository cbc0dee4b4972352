"""Draws what grow.py measured: python plot_growth.py growth.csv growth.png"""

import csv
import statistics
import sys

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt

COLOURS = {"diffusers": "#c05020", "sdxl": "#2060a0"}
# Title, stage, what varies, its label, and what is held.
PANELS = [
    ("UNet, batch 1", "unet", "pixels", "picture, pixels", ("batch", "1")),
    ("UNet, 256 x 256", "unet", "batch", "batch", ("pixels", "256")),
    ("VAE decode, batch 1", "vae", "pixels", "picture, pixels", ("batch", "1")),
]


def place(varied, value):
    """On an axis on which the work of one layer of convolutions is a straight line."""
    return int(value) ** 2 if varied == "pixels" else int(value)


def main():
    source, target = sys.argv[1:]
    with open(source) as lines:
        rows = list(csv.DictReader(lines))
    figure, axes = plt.subplots(2, len(PANELS), figsize=(9.6, 5.2), layout="constrained")
    for column, (title, stage, varied, label, (held, value)) in zip(axes.T, PANELS):
        chosen = [row for row in rows if row["stage"] == stage and row[held] == value]
        values = sorted({row[varied] for row in chosen}, key=int)
        for axis, measured in zip(column, ["seconds", "peak_gb"]):
            for name, colour in COLOURS.items():
                own = [row for row in chosen if row["program"] == name]
                of = [[float(row[measured]) for row in own if row[varied] == value] for value in values]
                middle = [statistics.median(found) for found in of]
                axis.plot([place(varied, v) for v in values], middle, "o-", color=colour, markersize=4, label=name)
            axis.set_xticks([place(varied, v) for v in values], [f"{v}²" if varied == "pixels" else v for v in values])
            axis.set_xlim(0, 1.05 * axis.dataLim.x1)
            axis.set_ylim(0, 1.1 * axis.dataLim.y1)
            axis.grid(alpha=0.3)
        column[0].set_title(title, fontsize=10)
        column[1].set_xlabel(label, fontsize=9)
    axes[0][0].set_ylabel("seconds", fontsize=9)
    axes[1][0].set_ylabel("peak memory, GB", fontsize=9)
    axes[0][0].legend(fontsize=9)
    figure.savefig(target, dpi=90)


if __name__ == "__main__":
    main()
