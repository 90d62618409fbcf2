// What LaTeX calls the characters beyond ASCII that stand in tables of results. All are there without a package, in
// the font encodings OT1 and T1.

/** Combining marks, by the letter or sign of the command that sets them over a letter. */
export const ACCENTS: Readonly<Record<string, string>> = {
  '\u0300': '`',
  '\u0301': "'",
  '\u0302': '^',
  '\u0303': '~',
  '\u0304': '=',
  '\u0306': 'u',
  '\u0307': '.',
  '\u0308': '"',
  '\u030a': 'r',
  '\u030b': 'H',
  '\u030c': 'v',
  '\u0323': 'd',
  '\u0327': 'c',
};

const GREEK =
  'α alpha β beta γ gamma δ delta ε epsilon ζ zeta η eta θ theta ι iota κ kappa λ lambda μ mu ν nu ξ xi π pi ρ rho ' +
  'σ sigma τ tau υ upsilon φ phi χ chi ψ psi ω omega Γ Gamma Δ Delta Θ Theta Λ Lambda Ξ Xi Π Pi Σ Sigma Φ Phi ' +
  'Ψ Psi Ω Omega';
const RELATIONS =
  '± pm × times ÷ div · cdot ≤ leq ≥ geq ≠ neq ≈ approx ∞ infty → rightarrow ← leftarrow ↑ uparrow ↓ downarrow ' +
  '↔ leftrightarrow ∈ in ∑ sum ∂ partial ∇ nabla √ surd ′ prime';

export const SYMBOLS: Readonly<Record<string, string>> = {
  ...mathNames(`${GREEK} ${RELATIONS}`),
  '\u00b5': String.raw`$\mu$`,
  '\u2212': '$-$',
  '°': String.raw`$^\circ$`,
  '¹': '$^1$',
  '²': '$^2$',
  '³': '$^3$',
  '\u00a0': '~',
  '\u2010': '-',
  '\u2011': '-',
  '–': '--',
  '—': '---',
  '‘': '`',
  '’': "'",
  '“': '``',
  '”': "''",
  '…': String.raw`\ldots{}`,
  '•': String.raw`\textbullet{}`,
  '§': String.raw`\S{}`,
  ß: String.raw`\ss{}`,
  æ: String.raw`\ae{}`,
  Æ: String.raw`\AE{}`,
  œ: String.raw`\oe{}`,
  Œ: String.raw`\OE{}`,
  ø: String.raw`\o{}`,
  Ø: String.raw`\O{}`,
  ł: String.raw`\l{}`,
  Ł: String.raw`\L{}`,
  ı: String.raw`\i{}`,
};

function mathNames(pairs: string): Record<string, string> {
  return Object.fromEntries(
    Array.from(pairs.matchAll(/(\S) (\S+)/g), ([, character, name]) => [character, `$\\${name}$`]),
  );
}
