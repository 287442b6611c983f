const documents = import.meta.glob('../examples/*.graphql', { query: '?raw', import: 'default', eager: true });
const variables = import.meta.glob('../examples/*.variables.json', { query: '?raw', import: 'default', eager: true });

const HEAD = /^# Title: (?<title>.+)\n# Group: (?<group>.+)\n(?<description>(?:# .+\n)+)(?<query>[^#][^]*)$/;

/** Every file of `examples/`, in the order of the file names. */
export const examples = Object.entries(documents).map(([path, text]) => {
  const parts = HEAD.exec(text)?.groups;
  if (!parts) {
    throw new Error(`${path} must begin with "# Title: …", "# Group: …" and a description in comment lines`);
  }
  return {
    title: parts.title,
    group: parts.group,
    description: parts.description.replaceAll(/^# /gm, '').replaceAll('\n', ' ').trim(),
    query: parts.query,
    variables: variables[path.replace(/\.graphql$/, '.variables.json')] ?? '',
  };
});

/** The groups in the order in which they first appear, each with its examples. */
export const groups = [...Map.groupBy(examples, ({ group }) => group)];
