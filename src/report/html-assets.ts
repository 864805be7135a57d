/** The style and the script of the HTML report. They are constants: the page's policy names them by their hashes. */

export const STYLE = `
:root{color-scheme:light dark;--bg:#f6f6f3;--card:#fff;--ink:#1d2126;--soft:#59626c;--line:#e1e2de;--code:#f2f3f0;
--critical:#8b1a6b;--high:#c2271e;--medium:#9a5c07;--low:#1d6b8f;--info:#5d6670;--good:#26733a;--mark:#ffe89a;--warn:#fff7e0;--warn-line:#e3b54a}
@media(prefers-color-scheme:dark){:root{--bg:#14171a;--card:#1c2024;--ink:#e6e8ea;--soft:#9aa4ae;--line:#2f353b;--code:#24292e;
--critical:#e57cc6;--high:#ff7b72;--medium:#e3a94b;--low:#6cb9dd;--info:#9aa4ae;--good:#6fcf87;--mark:#5c4f1c;--warn:#2a2415;--warn-line:#8a6d2a}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1080px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:22px;margin:0}h2{font-size:16px;margin:0}p{margin:8px 0}
.verdict{font-size:17px;font-weight:600;margin:10px 0 2px}.shut{color:var(--high)}.open{color:var(--good)}.soft{color:var(--soft)}
.tiles{display:flex;flex-wrap:wrap;gap:10px;margin:18px 0}
.tile{font:inherit;text-align:left;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:8px 16px;min-width:98px}
button.tile{cursor:pointer}button.tile:hover{border-color:var(--soft)}button.tile[aria-pressed=true]{border-color:currentColor;box-shadow:inset 0 0 0 1px currentColor}
.tile b{display:block;font-size:24px;line-height:1.25}
.critical{color:var(--critical)}.high{color:var(--high)}.medium{color:var(--medium)}.low{color:var(--low)}.info{color:var(--info)}.good{color:var(--good)}
.bar{display:flex;flex-wrap:wrap;align-items:center;gap:8px;position:sticky;top:0;background:var(--bg);padding:10px 0;z-index:1}
.bar input,.bar select,.bar button{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:6px 10px;min-width:0}
.bar select{max-width:210px}.bar button{cursor:pointer}#q{flex:2 1 200px}#f{flex:1 1 140px}#n{flex:1 1 auto;font-size:13px;color:var(--soft)}.state{display:flex;gap:8px;align-items:center;flex:1 0 100%}.bar .state button{font-size:13px;padding:2px 10px}
:focus-visible{outline:2px solid var(--low);outline-offset:2px}
details.g,.unknown{background:var(--card);border:1px solid var(--line);border-radius:10px;margin:8px 0;overflow:clip}
summary{cursor:pointer;list-style:none}summary::-webkit-details-marker{display:none}summary:hover{background:var(--code)}
.g>summary{display:grid;grid-template-columns:14px 84px 1fr auto;gap:4px 8px;padding:10px 14px;align-items:baseline}
summary::before{content:"\\25b8";color:var(--soft)}[open]>summary::before{content:"\\25be"}.f>summary::before{position:absolute;left:110px}
.sev{font-weight:650;font-size:13px;text-transform:uppercase;letter-spacing:.03em}
.title{font-weight:600}.id{font:12.5px ui-monospace,Menlo,Consolas,monospace;color:var(--soft);font-weight:400;margin-left:6px;overflow-wrap:anywhere}
.n{font-variant-numeric:tabular-nums;font-weight:650}
.about{padding:0 14px 8px 128px;color:var(--soft)}.about b{color:var(--ink)}
.f{border-top:1px solid var(--line);content-visibility:auto;contain-intrinsic-size:auto 62px}
.f>summary{padding:8px 14px 8px 128px;position:relative}
.msg{display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:2;overflow:hidden;overflow-wrap:anywhere}.f[open] .msg{-webkit-line-clamp:none}
.where{display:block;font:12.5px/1.5 ui-monospace,Menlo,Consolas,monospace;color:var(--soft);overflow-wrap:anywhere}
.body{padding:0 14px 10px 128px}
pre{background:var(--code);border-radius:8px;padding:10px 12px;overflow:auto;font:12.5px/1.5 ui-monospace,Menlo,Consolas,monospace;margin:8px 0}
mark{background:var(--mark);color:inherit;border-radius:3px}.add{color:var(--good)}.del{color:var(--high)}
a{color:var(--low)}code{font:12.5px ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}ul{padding-left:20px;margin:6px 0}li{overflow-wrap:anywhere}
.tag{display:inline-block;border:1px solid var(--line);border-radius:6px;padding:0 6px;margin:0 4px 4px 0;font-size:12px}
.unknown{background:var(--warn);border-color:var(--warn-line);padding:12px 16px;margin:0 0 18px}.u>summary{padding:3px 0;overflow-wrap:anywhere}.u>summary:hover{background:none}
[hidden]{display:none!important}
@media(max-width:640px){.about,.body,.f>summary{padding-left:30px}.f>summary::before{left:12px}.g>summary{grid-template-columns:14px 1fr auto}.g>summary .title{grid-column:2/4;grid-row:2}.bar{position:static}.bar select{max-width:none;flex:1 1 40%}}
@media print{.bar{display:none}body{background:none}main{padding:0;max-width:none}.f{break-inside:avoid;content-visibility:visible}.tile{border-color:#999}}
`;

/** Hides what does not match. Texts are only compared here, never put into the page. */
export const SCRIPT = `
const at=id=>document.getElementById(id),bar=at('bar'),q=at('q'),s=at('s'),p=at('p'),c=at('c'),f=at('f'),n=at('n');
const groups=[...document.querySelectorAll('.g')].map(g=>{const head=g.querySelector('summary').textContent;
return{g,is:g.dataset,open:g.open,n:g.querySelector('.n'),rows:[...g.querySelectorAll('.f')].map(r=>({r,file:r.dataset.f.toLowerCase(),text:(head+' '+r.textContent).toLowerCase()}))}});
const tiles=[...document.querySelectorAll('button.tile')],all=groups.reduce((sum,{rows})=>sum+rows.length,0);
let was=false;
function go(){
const words=q.value.toLowerCase().split(/\\s+/).filter(Boolean),file=f.value.trim().toLowerCase(),narrow=words.length>0||file!=='';
let shown=0;
for(const{g,is,n,rows,open}of groups){
const fits=(!s.value||is.s===s.value)&&(!p.value||is.p===p.value)&&(!c.value||is.c===c.value);
let k=0;
for(const{r,file:of,text}of rows){const ok=fits&&of.includes(file)&&words.every(w=>text.includes(w));if(r.hidden===ok)r.hidden=!ok;if(ok)k++}
g.hidden=k===0;n.textContent=k===rows.length?k:k+' of '+rows.length;shown+=k;
if(narrow!==was)g.open=narrow||open}
was=narrow;
for(const t of tiles)t.setAttribute('aria-pressed',String(t.dataset.s===s.value));
n.textContent=shown===all?all+(all===1?' finding':' findings'):shown===0?'Nothing matches.':shown+' of '+all+' findings match.'}
let timer;const soon=()=>{clearTimeout(timer);timer=setTimeout(go,80)};
q.addEventListener('input',soon);f.addEventListener('input',soon);
for(const x of[s,p,c])x.addEventListener('change',go);
for(const t of tiles)t.addEventListener('click',()=>{s.value=s.value===t.dataset.s?'':t.dataset.s;go()});
bar.addEventListener('submit',e=>e.preventDefault());bar.addEventListener('reset',()=>setTimeout(go));
at('x').addEventListener('click',()=>{const open=groups.some(({g})=>!g.hidden&&!g.open);for(const{g}of groups)g.open=open});
addEventListener('beforeprint',()=>{for(const{g}of groups)g.open=true;if(all<=300)for(const r of document.querySelectorAll('.f'))r.open=true});
go();
`;

/** Beside {@link STYLE}: pages of tables, one to a section. */
export const TABLE_STYLE = `
section{background:var(--card);border:1px solid var(--line);border-radius:10px;margin:16px 0;padding:14px 16px;overflow-x:auto}
section p{margin:2px 0 8px;color:var(--soft)}
table{width:100%;min-width:640px;table-layout:fixed;border-collapse:collapse}
th,td{padding:5px 10px 5px 0;text-align:left;vertical-align:top;border-top:1px solid var(--line);overflow-wrap:anywhere}
th{font-size:13px;color:var(--soft);border-top:0}
th:nth-child(1){width:22%}th:nth-child(2){width:27%}th:nth-child(3){width:20%}
tr.plain td{color:var(--soft)}tr.gives td:last-child{color:var(--high)}
@media print{section{break-inside:avoid;border-color:#999}}
`;

/** SHA-256 of the texts above, as a Content-Security-Policy names them. A test says the new ones when they change. */
export const STYLE_HASH = 'sha256-8gY1XmvFNOK5L6IrBYUKwTee0ScxiWQd/GvuKIEKJ20=';
export const TABLE_STYLE_HASH = 'sha256-QgHtAgdajN9Dw2PJvF+hlRsFVDOBSmq/PudKM5lxllY=';
export const SCRIPT_HASH = 'sha256-B/EnWPiq3FAOpg3Z/Q204vQ6ki6C74ELb5ozND96n7U=';
