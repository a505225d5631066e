/* SPDX-License-Identifier: MIT */
/*
 * How the page looks: see page.h. On a screen one column, on paper A4 with numbered
 * pages. Colour says nothing that a word, a weight or a border does not say as well.
 */
#include "policy/cmd/page.h"

static const char style[] =
	":root{--ink:#1b1f24;--faint:#57606a;--line:#c9d1d9;--back:#f3f5f7;--alarm:#"
	"b00020}"
	"*{box-sizing:border-box}"
	"html{font:15px/1.45 'DejaVu Sans','Liberation "
	"Sans',Arial,sans-serif;color:var(--ink);"
	"background:#fff}"
	"body{max-width:68rem;margin:0 auto;padding:1.5rem 1.5rem 4rem}"
	"h1{font-size:1.7rem;line-height:1.2;margin:0 0 .3rem}"
	"h2{font-size:1.2rem;margin:2.6rem 0 .6rem;padding-bottom:.25rem;"
	"border-bottom:2px solid var(--ink)}"
	"h3{font-size:1rem;margin:1.5rem 0 .4rem}"
	"p{margin:.5rem 0;max-width:52rem}"
	"ul{margin:.5rem 0;padding-left:1.2rem;max-width:52rem}"
	"a{color:inherit;text-decoration-color:var(--line);text-underline-offset:2px}"
	"code,pre,.mono{font-family:'DejaVu Sans Mono','Liberation "
	"Mono',Consolas,monospace;"
	"font-size:.88em;overflow-wrap:anywhere}"
	"small,.faint{color:var(--faint);font-size:.8em}"
	".alarm{color:var(--alarm);font-weight:bold}"
	".facts{display:grid;grid-template-columns:repeat(5,1fr);gap:.6rem;margin:1."
	"2rem 0}"
	".facts div{border:1px solid var(--line);border-radius:4px;padding:.55rem "
	".7rem}"
	".facts b{display:block;font-size:1.6rem;line-height:1.2}"
	".facts .bad{border:2px solid var(--alarm)}.facts .bad b{color:var(--alarm)}"
	"table{border-collapse:collapse;width:100%;margin:.7rem 0;font-size:.87rem}"
	"th,td{text-align:left;vertical-align:top;padding:.35rem .5rem;"
	"border-bottom:1px solid var(--line);overflow-wrap:break-word}"
	"table.fixed{table-layout:fixed}"
	".k{font-size:.85em;margin-top:.1rem}"
	"th{background:var(--back);border-bottom:1px solid "
	"var(--faint);font-size:.93em}"
	"td.n,th.n{text-align:right}td.n{white-space:nowrap}"
	"td.w{white-space:nowrap;overflow-wrap:normal}"
	"tr.open td:first-child{border-left:5px double var(--alarm)}"
	".points td:first-child{width:6.5rem;white-space:nowrap;font-weight:bold}"
	".bar{display:block;height:.55rem;border:1px solid "
	"var(--faint);margin-top:.25rem;"
	"min-width:5rem;print-color-adjust:exact;-webkit-print-color-adjust:exact}"
	".bar i{display:block;height:100%;background:var(--faint)}"
	".bar i.over{background:var(--alarm)}"
	"svg{display:block;width:100%;height:auto;max-width:60rem;margin:.8rem 0}"
	"svg text{font-family:'DejaVu Sans Mono','Liberation Mono',Consolas,monospace}"
	"pre{margin:.3rem 0;line-height:1.35;white-space:pre-wrap}"
	"pre span{display:block;padding-left:3.4em;text-indent:-3.4em}"
	"pre span i{display:inline-block;width:2.6em;margin-right:.8em;text-indent:0;"
	"text-align:right;color:var(--faint);font-style:normal;user-select:none}"
	"pre span:target{background:#fff3b0}"
	".hash{font-size:.8em;word-break:break-all}"
	"@media screen and "
	"(max-width:48rem){.facts{grid-template-columns:repeat(2,1fr)}}"
	"@page{size:A4;margin:14mm 13mm 16mm;"
	"@bottom-left{content:'xdd: what back ends may reach';font:8pt "
	"sans-serif;color:#57606a}"
	"@bottom-right{content:counter(page) ' / ' counter(pages);font:8pt sans-serif;"
	"color:#57606a}}"
	"@media print{html{font-size:9pt}body{max-width:none;padding:0}"
	"h2{margin-top:1.8rem}h2,h3,.with{break-after:avoid}thead{display:table-header-"
	"group}"
	"tr,svg,figure,.facts,.keep{break-inside:avoid}a{text-decoration:none}"
	".page{break-before:page}}";

void page_style(FILE *out)
{
	fputs("<style>", out);
	fputs(style, out);
	fputs("</style>\n", out);
}
