// Which language a file is written in, by its name.

const BY_ENDING = {
  bash: 'sh bash zsh',
  c: 'c h',
  cpp: 'cc cpp cxx hh hpp',
  csharp: 'cs',
  css: 'css scss less',
  dockerfile: 'dockerfile containerfile',
  elixir: 'ex exs',
  go: 'go',
  gradle: 'gradle',
  ini: 'ini toml cfg conf properties env',
  java: 'java',
  javascript: 'js cjs mjs jsx',
  json: 'json',
  kotlin: 'kt kts',
  makefile: 'makefile mk',
  markdown: 'md markdown',
  php: 'php',
  protobuf: 'proto',
  python: 'py pyi',
  ruby: 'rb gemfile rakefile',
  rust: 'rs',
  scala: 'scala',
  sql: 'sql',
  swift: 'swift',
  typescript: 'ts mts cts tsx',
  xml: 'xml html htm svg xhtml csproj',
  yaml: 'yaml yml',
} as const;

export type Language = keyof typeof BY_ENDING;

const LANGUAGES = new Map<string, Language>();
for (const [language, endings] of Object.entries(BY_ENDING)) {
  for (const ending of endings.split(' ')) {
    LANGUAGES.set(ending, language as Language);
  }
}

// Null: it is shown without colours. A file without an ending is known by all
// of its name.
export function languageOf(path: string): Language | null {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  const ending = name.slice(name.lastIndexOf('.') + 1);
  return LANGUAGES.get(ending) ?? null;
}
