// Small pictures in SVG. Each has a text for those who do not see it.

import { s } from "./dom.js";
import { clock, t } from "./words.js";

const TONES = ["good", "wait", "held", "bad", "off"];

/** Accounts by state over time, stacked. */
export function overTime(samples) {
  const [width, height] = [600, 80];
  const picture = s("svg", {
    class: "picture",
    viewBox: `0 0 ${width} ${height}`,
    preserveAspectRatio: "none",
    role: "img",
    "aria-label": words(samples),
  });
  if (samples.length === 0) return picture;
  const all = samples.length === 1 ? [samples[0], samples[0]] : samples;
  const most = Math.max(1, ...all.map(({ by }) => TONES.reduce((sum, tone) => sum + by[tone], 0)));
  const x = (at) => (at * width) / (all.length - 1);
  const floor = all.map(() => 0);
  for (const tone of TONES) {
    const below = [...floor];
    all.forEach(({ by }, at) => (floor[at] += by[tone]));
    if (floor.every((value, at) => value === below[at])) continue;
    const y = (value) => height - (value * height) / most;
    // A sample holds until the next one: nothing in between is known.
    const steps = (values) =>
      values.flatMap((value, at) => [at, Math.min(at + 1, values.length - 1)].map((end) => `${x(end).toFixed(1)},${y(value).toFixed(1)}`));
    const upper = steps(floor);
    const lower = steps(below).reverse();
    picture.append(s("polygon", { class: `fill-${tone}`, points: [...upper, ...lower].join(" ") }));
  }
  return picture;
}

function words(samples) {
  const last = samples.at(-1);
  if (!last) return t("picture.none");
  const by = TONES.filter((tone) => last.by[tone] > 0).map((tone) => `${t(`tone.${tone}`)} ${last.by[tone]}`);
  return t("picture.counts", { counts: by.join(", ") });
}

/** The flight recorder as a line of time. */
export function timeLine(records) {
  const [width, height] = [1100, 70];
  const picture = s("svg", {
    class: "line",
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    "aria-label": t("line.label", { count: records.length }),
  });
  if (records.length === 0) return picture;
  const end = Math.max(Date.now() / 1000, records.at(-1).at);
  const start = records[0].at;
  const x = (at) => 20 + ((at - start) / Math.max(1, end - start)) * (width - 40);
  picture.append(s("line", { class: "axis", x1: 20, x2: width - 20, y1: 34, y2: 34 }));
  records.forEach((record, number) => {
    const next = records[number + 1]?.at ?? end;
    const good = record.event === "online";
    picture.append(
      s("rect", {
        class: good ? "fill-good" : "fill-bad",
        x: x(record.at),
        y: 28,
        width: Math.max(2, x(next) - x(record.at)),
        height: 12,
        opacity: good ? 1 : 0.65,
      }),
      s(
        "circle",
        { class: good ? "fill-good" : "fill-bad", cx: x(record.at), cy: 34, r: 7 },
        s("title", {}, `${clock(record.at)} ${good ? t("record.online") : record.cause}`),
      ),
    );
  });
  picture.append(
    s("text", { x: 20, y: 62 }, clock(start)),
    s("text", { x: width - 20, y: 62, "text-anchor": "end" }, t("line.now")),
  );
  return picture;
}
