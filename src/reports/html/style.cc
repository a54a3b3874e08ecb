#include "reports/html/style.h"

namespace assay {

std::string_view html_style() {
  return R"(:root{color-scheme:light dark;
--bg:#fcfcfb;--panel:#fff;--ink:#1b1f24;--soft:#5a6472;--line:#dfe3e8;--grid:#eceff2;
--blue:#1c5fb0;--band:#a9c8ee;--pale:#d9e7f8;--wait:#b9c1cb;--warn:#8a5300;--warnbg:#fff6e3;
--warnline:#e5b95c;--bad:#a4262c;--good:#1d6b3a}
@media(prefers-color-scheme:dark){:root{
--bg:#14171b;--panel:#1a1e23;--ink:#e6e9ed;--soft:#a0abb8;--line:#323941;--grid:#262c33;
--blue:#7fb3f5;--band:#34598a;--pale:#26405f;--wait:#5c6774;--warn:#f0c675;--warnbg:#2b2415;
--warnline:#7a5f22;--bad:#ff9a94;--good:#7fd49b}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif;
font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
main{max-width:72rem;margin:0 auto;padding:2rem 1.5rem 4rem}
.skip{position:absolute;left:-99rem}.skip:focus{position:static;display:block;padding:.5rem}
h1{font-size:1.6rem;line-height:1.2;margin:0 0 .4rem;letter-spacing:-.01em}
h2{font-size:1.2rem;margin:3rem 0 .8rem;padding-top:.9rem;border-top:1px solid var(--line)}
h3{font-size:1.05rem;margin:1.8rem 0 .5rem}
h4{font-size:.95rem;font-weight:600;margin:0;display:inline}
p{margin:.4rem 0;max-width:48rem}
a{color:var(--blue)}
.eyebrow,.small,small,figcaption,dt,caption{color:var(--soft);font-size:.82rem}
.eyebrow{margin:0 0 .3rem}
ul.plain{list-style:none;margin:.3rem 0 0;padding:0;color:var(--soft);font-size:.9rem}
.answer{margin:1.4rem 0 0}
.answer p{font-size:1.02rem}
.answer p:first-child{font-size:1.25rem;line-height:1.4;font-weight:600}
nav{margin-top:1.6rem;display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;font-size:.88rem}
nav a{padding:.15rem 0}
.verdict{display:inline-block;margin-top:1.2rem;padding:.25rem .7rem;border:1px solid var(--line);
border-radius:1rem;font-size:.88rem;background:var(--panel)}
.verdict.ok::before{content:"✓ ";color:var(--good);font-weight:700}
.verdict.no::before{content:"✕ ";color:var(--bad);font-weight:700}
.warn{background:var(--warnbg);border:1px solid var(--warnline);border-left-width:5px;
border-radius:6px;padding:.7rem 1rem;margin:1.2rem 0 0}
.warn h2{border:0;margin:0;padding:0;font-size:1rem;color:var(--warn)}
.warn ul{margin:.3rem 0 0;padding-left:1.2rem}
.scroll{overflow-x:auto;margin:.8rem 0}
table{border-collapse:collapse;width:100%;font-size:.9rem}
caption{text-align:left;padding:0 0 .3rem}
th,td{padding:.34rem .7rem;text-align:right;vertical-align:baseline;
border-bottom:1px solid var(--grid)}
th{font-weight:600}thead th{border-bottom:1px solid var(--line);white-space:nowrap;
vertical-align:top;font-size:.82rem;color:var(--soft)}
thead td{border-bottom:1px solid var(--line)}thead small{display:block;font-weight:400}
th:first-child,td:first-child,.l{text-align:left}
th:first-child,td:first-child{padding-left:0}
td{overflow-wrap:break-word}
tbody th{font-weight:500;min-width:9rem}.checks tbody th{white-space:nowrap}
.checks td.l{min-width:11rem}
td{white-space:nowrap}td.l{white-space:normal;min-width:5.5rem}td.l:last-child{min-width:9rem}
i{font-style:normal;color:var(--soft)}
td small{display:block;line-height:1.2;font-size:.72rem}
button{font:inherit;color:inherit;background:none;border:0;text-align:inherit;
cursor:help;text-decoration:underline dotted var(--soft);text-underline-offset:.22em;
padding:.2rem 0;margin:-.2rem 0}
:focus-visible{outline:2px solid var(--blue);outline-offset:2px;border-radius:3px}
[popover]{max-width:min(30rem,calc(100vw - 2rem));padding:1rem 1.2rem;border-radius:8px;
border:1px solid var(--line);background:var(--panel);color:var(--ink);font-size:.92rem;
box-shadow:0 8px 30px #0003}
figure{margin:1rem 0 0;min-width:0}
figcaption{padding-bottom:.35rem}figcaption small{margin-left:.8rem}
figcaption span{white-space:nowrap}
.rows figcaption{font-size:.95rem;color:var(--ink);font-weight:600}
.rows figcaption small{font-weight:400}
.rows ul{list-style:none;margin:0;padding:0}
.rows li,.axis{display:grid;grid-template-columns:minmax(8rem,15rem) 1fr minmax(8.5rem,17rem);
gap:.2rem 1rem;align-items:center;font-size:.9rem}
.rows li{padding:.22rem 0}.rows li b{font-weight:500}.axis svg{grid-column:2}
svg{display:block;overflow:visible}svg.row{height:22px}
text{font-size:11px;fill:var(--soft)}.m{text-anchor:middle}.e{text-anchor:end}
.ax,.grid{stroke:var(--line);stroke-width:1}.grid{stroke:var(--grid)}
.dot{fill:var(--blue)}.ring{fill:var(--panel);stroke:var(--blue);stroke-width:2}
.ci{fill:var(--band);stroke:var(--blue);stroke-width:1}
.tol{fill:var(--grid)}.noise{fill:none;stroke:var(--soft);stroke-dasharray:2 3}
.zero{stroke:var(--soft);stroke-width:1}
.ratio h3{font-size:.95rem;margin:1rem 0 .2rem}
.ratio li,.ratio .axis{grid-template-columns:minmax(8rem,12rem) 1fr minmax(8.5rem,19rem)}
.ratio li{padding:0}.ratio+.scroll{margin-top:1.8rem}.ratio svg.row{height:26px}.ratio .axis svg.row{height:20px}
.bar{fill:var(--band);stroke:none}.p{stroke:var(--ink);stroke-width:1;stroke-dasharray:3 2}
.p+text{fill:var(--ink)}
.calls{fill:var(--blue);fill-opacity:.55}
.joined{fill:none;stroke:var(--band);stroke-width:2;vector-effect:non-scaling-stroke}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));gap:0 2.5rem}
.time .plot{margin-left:2rem;width:calc(100% - 2rem)}
.load .plot{margin-left:3rem;width:calc(100% - 3rem)}
.time path{vector-effect:non-scaling-stroke;fill:none}
.w{stroke:var(--wait);stroke-width:2}.s{stroke:var(--pale);stroke-width:9}
.t{stroke:var(--blue);stroke-width:9}.bad{fill:var(--bad)}
.kw,.ks,.kt{display:inline-block;width:1.4em;height:.6em;margin:0 .3em 0 .7em}
.kw{height:2px;background:var(--wait);vertical-align:.25em}.ks{background:var(--pale)}
.kt{background:repeating-linear-gradient(90deg,var(--blue) 0 2px,var(--pale) 2px 5px)}
.machine .plot{margin-left:3rem;width:calc(100% - 3rem)}
.machine path{vector-effect:non-scaling-stroke;fill:none}
.c{stroke:var(--blue);stroke-width:6}.machine .th{fill:var(--warnbg)}.gl{stroke:var(--line)}
.l0{stroke:var(--blue);stroke-width:1.6}.l1,.l2,.l3{stroke:var(--ink);stroke-width:1.4;
stroke-dasharray:8 3}.l2{stroke-dasharray:2 3}.l3{stroke:var(--warn);stroke-dasharray:none}
.kc,.k0,.k1,.k2,.k3,.kh{display:inline-block;width:1.6em;margin:0 .3em 0 .7em;vertical-align:.25em}
.kc{height:6px;background:var(--blue);vertical-align:.1em}.k0{height:2px;background:var(--blue)}
.k1{border-top:2px dashed var(--ink)}.k2{border-top:2px dotted var(--ink)}
.k3{border-top:2px solid var(--warn)}.kh{height:.7em;background:var(--warnbg);
border:1px solid var(--warnline);vertical-align:0}
details table{table-layout:fixed;min-width:40rem}
details thead tr>:nth-child(1){width:9rem}details thead tr>:nth-child(2){width:4rem}
details thead tr>:nth-child(3){width:10rem}
details{border-bottom:1px solid var(--grid);padding:.45rem 0}
details[open]{padding-bottom:1.4rem}
summary{cursor:pointer;padding:.2rem 0}summary::marker{color:var(--soft)}
dl.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,16rem),1fr));
gap:.7rem 1.5rem;margin:.5rem 0 1.2rem}
dt{margin:0}dd{margin:0}
dl.words{columns:22rem;column-gap:2.5rem;font-size:.88rem}
dl.words div{break-inside:avoid;margin-bottom:.6rem}dl.words dt{font-weight:600;color:var(--ink)}
code{font:.88em/1.5 ui-monospace,"Cascadia Mono","DejaVu Sans Mono",Menlo,monospace}
ol.next{padding-left:1.2rem}ol.next li{margin:.7rem 0}
ol.next code{display:block;background:var(--panel);border:1px solid var(--line);border-radius:6px;
padding:.4rem .7rem;margin-top:.25rem}
.ok{color:var(--good)}td.no{color:var(--bad);font-weight:600}
footer{margin-top:3rem;color:var(--soft);font-size:.82rem}
@media(max-width:46rem){main{padding:1.2rem 1rem 3rem}h1{font-size:1.3rem}
.answer p:first-child{font-size:1.1rem}
.rows li{display:flex;flex-wrap:wrap;justify-content:space-between;padding:.4rem 0}
.rows li svg{order:1}.rows li i,.bad tspan,.load tspan{display:none}
.axis,.ratio .axis{grid-template-columns:1fr}.axis svg{grid-column:1}.ratio li{padding:.3rem 0}
th,td{padding:.3rem .5rem}}
@media(forced-colors:active){.tol{fill:none;stroke:CanvasText;stroke-width:.5}.zero{stroke:CanvasText}
.bar,.ci,.dot{fill:CanvasText}.t,.s,.w,.c,.l0{stroke:CanvasText}}
@media print{:root{color-scheme:light;--bg:#fff;--panel:#fff;--ink:#000;--soft:#444;--line:#bbb;
--grid:#ddd;--blue:#1c5fb0;--band:#a9c8ee;--pale:#d9e7f8;--wait:#999;--warn:#6b4100;
--warnbg:#fff;--bad:#a4262c;--good:#1d6b3a}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
body{font-size:10pt}main{max-width:none;padding:0}.skip,nav,[popover]{display:none}
details::details-content{content-visibility:visible;display:block}
figure,tr,li,.warn{break-inside:avoid}h2,h3,h4,summary{break-after:avoid}.scroll{overflow:visible}
button{text-decoration:none;padding:0}th,td{padding:.2rem .4rem}}
)";
}

}  // namespace assay
