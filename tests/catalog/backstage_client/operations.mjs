// Runs the operations of the published client against a server: node operations.mjs BASE_URL TOKEN REF
// Prints one JSON object; tests/catalog/test_backstage_client.py says what must be in it.
import { CatalogClient } from '@backstage/catalog-client';

const [base, token, ref] = process.argv.slice(2);
const client = new CatalogClient({ discoveryApi: { getBaseUrl: async () => `${base}/api/catalog` } });
const as = { token };
const [kind, rest] = ref.split(':');
const [namespace, name] = rest.split('/');
const filter = { kind, 'metadata.namespace': namespace, 'metadata.name': name };
const found = {};

const entity = await client.getEntityByRef(ref, as);
found.byRef = entity.metadata.name;
found.missing = await client.getEntityByRef('component:default/no-such-thing', as) ?? null;
found.byRefs = (await client.getEntitiesByRefs({ entityRefs: [ref, 'component:default/no-such-thing'] }, as)).items.map(item => item?.metadata.name ?? null);
found.entities = (await client.getEntities({ filter, fields: ['metadata.name'] }, as)).items;
found.offset = (await client.getEntities({ filter: { kind }, offset: 0, limit: 1, order: { field: 'metadata.name', order: 'asc' } }, as)).items.length;
const page = await client.queryEntities({ filter: { kind }, limit: 1, orderFields: { field: 'metadata.name', order: 'asc' } }, as);
const next = await client.queryEntities({ cursor: page.pageInfo.nextCursor, limit: 1 }, as);
const back = await client.queryEntities({ cursor: next.pageInfo.prevCursor, limit: 1 }, as);
found.pages = [page, next, back].map(one => one.items[0].metadata.name);
found.fullText = (await client.queryEntities({ fullTextFilter: { term: name.slice(1, -1), fields: ['metadata.name'] } }, as)).items.map(item => item.metadata.name);
found.facets = (await client.getEntityFacets({ filter, facets: ['kind', 'spec.type'] }, as)).facets;
found.ancestors = (await client.getEntityAncestors({ entityRef: ref }, as)).items.length;
found.streamed = 0;
for await (const items of client.streamEntities({ filter: { kind }, pageSize: 1 }, as)) found.streamed += items.length;
found.valid = (await client.validateEntity(entityOf('fine'), 'url:https://example.com/a.yaml', as)).valid;
found.invalid = (await client.validateEntity(entityOf('not fine'), 'url:https://example.com/a.yaml', as)).valid;
found.refreshed = await client.refreshEntity(ref, as) ?? null;
const { location } = await client.addLocation({ type: 'url', target: 'https://example.com/catalog-client.yaml' }, as);
found.location = (await client.getLocationById(location.id, as)).target;
found.locationByRef = (await client.getLocationByRef('url:https://example.com/catalog-client.yaml', as)).id === location.id;
found.locations = (await client.getLocations({}, as)).items.map(item => item.target);
await client.removeLocationById(location.id, as);
found.removed = await client.getLocationById(location.id, as) ?? null;
found.refused = await client.removeEntityByUid(entity.metadata.uid, as).then(() => 'removed', error => error.name);
console.log(JSON.stringify(found));

function entityOf(given) {
  return { apiVersion: 'backstage.io/v1alpha1', kind: 'Component', metadata: { name: given }, spec: { type: 'service', lifecycle: 'production', owner: 'x' } };
}
