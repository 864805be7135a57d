/** The style and the script of the map. They are constants: the page's policy names them by their hashes. */

export const STYLE = `
body{margin:0;font:14px/1.5 system-ui,sans-serif;color:#1d2126;background:#fff;display:flex;flex-direction:column;height:100vh}
header{padding:10px 16px;border-bottom:1px solid #e1e2de}h1{font-size:18px;margin:0;display:inline}header p{margin:0 0 6px;display:inline-block;padding-left:12px;color:#59626c}
form{display:flex;gap:8px;flex-wrap:wrap}input,select,button{font:inherit;padding:4px 8px}.key{padding:0!important;font-size:13px}
.red{color:#c2271e;font-weight:600}.amber{color:#9a5c07;font-weight:600}
#m{flex:1;overflow:hidden;min-height:200px}#m svg{width:100%;height:100%;cursor:grab;touch-action:none}
.off{opacity:.12}.e.off{opacity:0}.many .e{stroke-opacity:.3}.w{cursor:pointer}.w:focus{outline:none}.w:focus rect,.w.on rect{stroke:#1d6b8f;stroke-width:3}.e.on{stroke:#1d6b8f;stroke-opacity:1;stroke-width:2.5}
#d:not(:empty){white-space:pre-wrap;overflow:auto;max-height:22vh;columns:3 24em;padding:10px 16px;border-top:1px solid #e1e2de;overflow-wrap:anywhere}
details{padding:4px 16px;color:#59626c;font-size:13px}
`;

/** Dims what does not match. Texts are only compared here, or shown as text. */
export const SCRIPT = `
const at=id=>document.getElementById(id),svg=document.querySelector('#m svg'),whole=svg.getAttribute('viewBox').split(' ').map(Number);
let box=[...whole];const show=()=>svg.setAttribute('viewBox',box.join(' '));
svg.removeAttribute('width');svg.removeAttribute('height');
const zoom=(k,x=box[0]+box[2]/2,y=box[1]+box[3]/2)=>{box=[x-(x-box[0])*k,y-(y-box[1])*k,box[2]*k,box[3]*k];show()};
const ws=[...svg.querySelectorAll('.w')],es=[...svg.querySelectorAll('.e')];
let on='';
function go(){
const q=at('q').value.toLowerCase(),n=at('n').value,p=at('p').value.trim(),v=at('v').checked,seen=new Set(),near=new Set([on]);
if(on)for(const e of es){const{from,to}=e.dataset;if(to===on)near.add(from);if(from===on)near.add(to)}
const all=ws.some(w=>w.dataset.id===on&&w.dataset.open==='true');
for(const w of ws){const d=w.dataset,ok=(!on||all||d.open==='true'||near.has(d.id)||near.has(d.ns+'/*'))&&d.id.toLowerCase().includes(q)&&(!n||d.ns===n)&&(!p||d.ports.split(' ').some(x=>x.split('/')[0]===p))&&(!v||d.bad==='true');
w.classList.toggle('off',!ok);w.classList.toggle('on',d.id===on);if(ok)seen.add(d.id)}
for(const e of es){const{from,to}=e.dataset,hit=on&&(from===on||to===on);e.classList.toggle('on',Boolean(hit));
e.classList.toggle('off',on?!hit:!(seen.has(to)||seen.has(from)))}
const w=ws.find(w=>w.dataset.id===on);at('d').textContent=w?w.querySelector('title').textContent:''}
for(const id of['q','p'])at(id).addEventListener('input',go);
for(const id of['n','v'])at(id).addEventListener('change',go);
const fit=l=>{if(!l.length){box=[...whole];show();return}const r=l.map(w=>w.getBBox()),x=Math.min(...r.map(b=>b.x)),y=Math.min(...r.map(b=>b.y));
box=[x-40,y-60,Math.max(...r.map(b=>b.x+b.width))-x+80,Math.max(...r.map(b=>b.y+b.height))-y+100];show()};
for(const id of['n','q'])at(id).addEventListener('change',()=>fit(at('n').value||at('q').value?ws.filter(w=>!w.classList.contains('off')):[]));
svg.classList.toggle('many',es.length>400);
at('bar').addEventListener('submit',e=>e.preventDefault());
at('i').onclick=()=>zoom(.75);at('o').onclick=()=>zoom(1.33);at('f').onclick=()=>{box=[...whole];show()};
svg.addEventListener('wheel',e=>{e.preventDefault();const p=new DOMPoint(e.clientX,e.clientY).matrixTransform(svg.getScreenCTM().inverse());zoom(e.deltaY>0?1.15:.87,p.x,p.y)},{passive:false});
let drag,moved=false;
svg.addEventListener('pointerdown',e=>{drag=[e.clientX,e.clientY];moved=false});
svg.addEventListener('pointermove',e=>{if(!drag)return;const k=1/svg.getScreenCTM().a,dx=e.clientX-drag[0],dy=e.clientY-drag[1];if(Math.abs(dx)+Math.abs(dy)>3)moved=true;box[0]-=dx*k;box[1]-=dy*k;drag=[e.clientX,e.clientY];show()});
addEventListener('pointerup',()=>{drag=undefined});
const pick=t=>{const w=t.closest('.w');on=w&&w.dataset.id!==on?w.dataset.id:'';go()};
svg.addEventListener('click',e=>{if(!moved)pick(e.target)});
svg.addEventListener('keydown',e=>{if(e.key==='Enter')pick(e.target)});
go();
`;

/** SHA-256 of the texts above, as a Content-Security-Policy names them. A test says the new ones when they change. */
export const STYLE_HASH = 'sha256-U22RDu+VttB6Q268gR7aX1JQoVhRyH/GbmNbwP3V7X4=';
export const SCRIPT_HASH = 'sha256-ON+dcYqAl9shn5oxa01hEOps1eJKHk6uEZR7HjmJctI=';
