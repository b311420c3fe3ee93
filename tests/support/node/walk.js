// Walks through a HubSpot sandbox with HubSpot's own client for Node and prints what it saw as
// JSON. SANDBOX_URL says where the sandbox is; NODE_PATH, where the client is installed.

const { AssociationTypes, Client } = require('@hubspot/api-client')

const client = new Client({
  accessToken: 'sandbox-token',
  basePath: process.env.SANDBOX_URL,
  limiterOptions: { minTime: 0, maxConcurrent: 4 },
})
const { crm } = client
const values = (rows, name) => rows.map((row) => row.properties[name])

async function records(seen) {
  const made = await crm.contacts.batchApi.create({
    inputs: ['ada', 'bea', 'cid'].map((name) => ({
      properties: { email: `${name}@one.example`, firstname: name, lastname: 'Novak' },
      associations: [],
    })),
  })
  const ada = made.results.find((row) => row.properties.firstname === 'ada').id
  const page = await crm.contacts.basicApi.getPage(2, undefined, ['email'])
  const rest = await crm.contacts.basicApi.getPage(2, page.paging.next.after, ['email'])
  seen.listed = values([...page.results, ...rest.results], 'email')

  const wanted = {
    filterGroups: [
      { filters: [{ propertyName: 'lastname', operator: 'EQ', value: 'Novak' }] },
    ],
    sorts: ['-email'],
    properties: ['email'],
    limit: 2,
  }
  const first = await crm.contacts.searchApi.doSearch(wanted)
  const second = await crm.contacts.searchApi.doSearch({
    ...wanted,
    after: first.paging.next.after,
  })
  const found = [...first.results, ...second.results]
  seen.searched = { total: first.total, emails: values(found, 'email') }

  await crm.contacts.batchApi.update({
    inputs: [{ id: ada, properties: { jobtitle: 'Head of "Sales" 🙂' } }],
  })
  await crm.contacts.batchApi.upsert({
    inputs: [
      { id: 'bea@one.example', idProperty: 'email', properties: { jobtitle: 'Buyer' } },
      { id: 'dan@one.example', idProperty: 'email', properties: { jobtitle: 'Seller' } },
    ],
  })
  const read = await crm.contacts.batchApi.read({
    inputs: ['ada', 'bea', 'dan'].map((name) => ({ id: `${name}@one.example` })),
    idProperty: 'email',
    properties: ['email', 'jobtitle'],
    propertiesWithHistory: [],
  })
  seen.titles = Object.fromEntries(
    read.results.map((row) => [row.properties.email, row.properties.jobtitle]),
  )
  return ada
}

async function links(seen, contact) {
  const task = await crm.objects.tasks.basicApi.create({
    properties: { hs_timestamp: '2026-06-20T08:00:00Z', hs_task_subject: 'Congratulate' },
    associations: [
      {
        to: { id: contact },
        types: [
          {
            associationCategory: 'HUBSPOT_DEFINED',
            associationTypeId: AssociationTypes.taskToContact,
          },
        ],
      },
    ],
  })
  const ofTask = await crm.associations.v4.basicApi.getPage('tasks', task.id, 'contacts')
  seen.taskLeadsToContact = ofTask.results.map((one) => one.toObjectId === contact)

  const company = await crm.companies.basicApi.create({
    properties: { name: 'One' },
    associations: [],
  })
  await crm.associations.v4.batchApi.create('contacts', 'companies', {
    inputs: [
      {
        _from: { id: contact },
        to: { id: company.id },
        types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 1 }],
      },
    ],
  })
  const ofContact = await crm.associations.v4.batchApi.getPage('contacts', 'companies', {
    inputs: [{ id: contact }],
  })
  const [end] = ofContact.results[0].to
  seen.companyKinds = end.associationTypes.map((kind) => kind.typeId)
}

async function surroundings(seen) {
  const owners = await crm.owners.ownersApi.getPage()
  seen.owners = owners.results.length
  const properties = await crm.properties.coreApi.getAll('contacts')
  seen.knowsEmail = properties.results.some((one) => one.name === 'email')
  const pipelines = await crm.pipelines.pipelinesApi.getAll('deals')
  seen.stages = pipelines.results[0].stages.map((stage) => stage.id)
  const missing = await crm.contacts.basicApi.getById('1').catch((problem) => problem)
  seen.missing = missing.code
}

async function main() {
  const seen = {}
  const contact = await records(seen)
  await links(seen, contact)
  await surroundings(seen)
  process.stdout.write(JSON.stringify(seen))
}

main().catch((problem) => {
  console.error(problem)
  process.exit(1)
})
