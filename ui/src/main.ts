import '@fontsource-variable/inter';
import './styles/tokens.css';
import './styles/base.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { clock } from './core/clock.svelte';
import { locale } from './core/i18n.svelte';
import { keys } from './core/keys.svelte';
import { router } from './core/router.svelte';
import { theme, viewport } from './core/theme.svelte';

theme.start();
viewport.start();
clock.start();
router.start();
keys.listen();
void locale.start().then(() => mount(App, { target: document.getElementById('app')! }));
