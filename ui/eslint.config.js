import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

const iconBarrel = {
  paths: [{ name: '@lucide/svelte', message: 'Import from @lucide/svelte/icons/NAME: the barrel brings every icon.' }],
};

export default ts.config(
  { ignores: ['dist', 'node_modules'] },
  ...ts.configs.recommended,
  ...svelte.configs['flat/recommended'],
  {
    languageOptions: { globals: { ...globals.browser, ...globals.node } },
    rules: {
      'no-restricted-imports': ['error', iconBarrel],
      'no-console': 'error',
      'svelte/no-at-html-tags': 'error',
      // Links go through our own router, which SvelteKit's rule does not know.
      'svelte/no-navigation-without-resolve': 'off',
      // Plain Maps, Sets and Dates are plain on purpose: what is drawn is $state or a Svelte collection.
      'svelte/prefer-svelte-reactivity': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig } },
  },
  {
    files: ['src/kit/**', 'src/features/**/*.svelte'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          ...iconBarrel,
          patterns: [
            {
              group: ['$core/api', '**/core/api'],
              message: 'A component never fetches: use features/<noun>/<noun>.api.ts.',
            },
          ],
        },
      ],
    },
  },
  { files: ['scripts/**'], rules: { 'no-console': 'off' } },
);
