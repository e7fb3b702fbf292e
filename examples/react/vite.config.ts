// Vite serves the page and hands on what is for the hub, so that the page speaks to the host that it came from, as it will in production.

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const proxy = {
  // Without `changeOrigin`: the server lets pages of its own host in, and the host that it is told is the page's.
  '/chat': { target: process.env.SERVER ?? 'http://127.0.0.1:5100', ws: true },
};

export default defineConfig({
  plugins: [react()],
  server: { proxy },
  preview: { proxy },
});
