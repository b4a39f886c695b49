import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { App } from './app';
import { takeTokenFromAddress } from './rpc/session';
import { applyTheme } from './theme';
import './styles/base.css';
import './styles/diff.css';
import './styles/parts.css';
import './styles/run.css';
import './styles/trace.css';
import './styles/attempt.css';
import './styles/desk.css';

applyTheme();
takeTokenFromAddress();

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
