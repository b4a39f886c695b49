// Hands `content` to the browser as a download called `name`.
export function saveFile(name: string, content: Blob) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

export function csvFile(text: string): Blob {
  return new Blob([text], { type: 'text/csv' });
}
