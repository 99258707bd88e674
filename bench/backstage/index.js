'use strict';

// The parts of a Backstage that a catalog needs: sign-in as a guest, the catalog, and search in PostgreSQL.
const { createBackend } = require('@backstage/backend-defaults');

const parts = {
  auth: import('@backstage/plugin-auth-backend'),
  guests: import('@backstage/plugin-auth-backend-module-guest-provider'),
  catalog: import('@backstage/plugin-catalog-backend'),
  search: import('@backstage/plugin-search-backend'),
  searchInPostgres: import('@backstage/plugin-search-backend-module-pg'),
  searchTheCatalog: import('@backstage/plugin-search-backend-module-catalog'),
};

const backend = createBackend();
Object.values(parts).forEach(part => backend.add(part));
backend.start();
