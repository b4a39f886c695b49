#ifndef ASSAY_RUNNER_REPORTS_HTML_STYLE_H_
#define ASSAY_RUNNER_REPORTS_HTML_STYLE_H_

#include <string_view>

namespace assay::reports {

// Of the HTML report; follows the reader's light or dark preference.
inline constexpr std::string_view kHtmlStyle = R"css(
:root { color-scheme: light dark; --text: #1d232b; --quiet: #5b6673;
  --back: #ffffff; --card: #f5f7f9; --line: #d9dfe5; --good: #17692f;
  --bad: #b3231e; --warn: #7a5200; --bar: #3f7fbf; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e9ee;
  --quiet: #9ba7b4; --back: #14181d; --card: #1c2229; --line: #323b45;
  --good: #6fd08c; --bad: #ff8a80; --warn: #f0c060; --bar: #6aa5e0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.score { font-size: 1.2rem; margin: .25rem 0; }
.score strong { font-size: 2rem; }
.quiet { color: var(--quiet); font-size: .85rem; }
.number, .points, .time { font-variant-numeric: tabular-nums; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
.reason { margin: .25rem 0; color: var(--bad); overflow-wrap: anywhere;
  white-space: pre-wrap; }
details { background: var(--card); border: 1px solid var(--line);
  border-radius: 6px; margin: .4rem 0; padding: .5rem .75rem; }
summary { display: flex; gap: .75rem; align-items: baseline; cursor: pointer; }
summary .title { flex: 1; font-weight: 600; overflow-wrap: anywhere; }
summary .time { color: var(--quiet); min-width: 4.5em; text-align: right; }
.badge { font-size: .75rem; font-weight: 600; border: 1px solid;
  border-radius: 4px; padding: 0 .4em; white-space: nowrap; }
.badge.passed { color: var(--good); }
.badge.failed, .badge.timed_out { color: var(--bad); }
.badge.errored, .badge.inconclusive, .badge.skipped, .badge.not_run {
  color: var(--warn); }
.tag { color: var(--quiet); font-size: .8rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0;
  table-layout: fixed; }
td { border-top: 1px solid var(--line); padding: .3rem .5rem;
  vertical-align: top; }
td:first-child { width: 6.5rem; }
td:nth-child(3) { width: 9rem; }
td:last-child { width: 5.5rem; }
.diff { font: .85em/1.4 ui-monospace, monospace; margin: .25rem 0;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.diff .missing { color: var(--good); }
.diff .added { color: var(--bad); }
td.number { text-align: right; }
.phases { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; padding: 0;
  list-style: none; }
.phases .number { color: var(--quiet); }
.phases .bad { color: var(--bad); }
.trace { border-top: 1px solid var(--line); font-size: .85rem; }
.span { display: grid; align-items: center; gap: .5rem;
  grid-template-columns: minmax(12rem, 2fr) 7rem 3fr 5rem;
  border-bottom: 1px solid var(--line); padding: .15rem 0; }
.span .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.span .number { text-align: right; }
.bar { position: relative; height: .8em; }
.bar i { position: absolute; top: 0; bottom: 0; min-width: 2px;
  background: var(--bar); border-radius: 2px; }
.bar.bad i { background: var(--bad); }
@media (max-width: 40rem) { .span { grid-template-columns: 2fr 1fr 4rem; }
  .span > .quiet { display: none; } summary { flex-wrap: wrap; } }
@media print { details { break-inside: avoid; } }
)css";

}  // namespace assay::reports

#endif  // ASSAY_RUNNER_REPORTS_HTML_STYLE_H_
