-- +goose Up
-- The read models: what the queries show, made from the log and made again from it at any time.
-- They belong to koprogo_projector, so that a rebuild can make new tables beside the old and swap
-- their names. organization_id is the first column of every key. A text that an event does not
-- name is '' here. Sealed texts are copies of the event's sealed value.
set local role koprogo_projector;

alter default privileges revoke execute on functions from public;
grant usage on schema read to koprogo_reader;

-- Gives a new table what "create table (like …)" does not copy: its place in a distributed
-- database, row-level security and the reader's right. A rebuild calls it on each table it makes.
-- +goose StatementBegin
create function read.guard(t regclass) returns void language plpgsql as $$
begin
  perform log.distribute(t);
  perform log.guard(t);
  execute format('grant select on %s to koprogo_reader', t);
end $$;
-- +goose StatementEnd

-- How words are sorted and how upper and lower case are told to be the same: by Unicode's root
-- order, which puts é beside e in every language at once and treats texts as equal only when their
-- bytes are. Where PostgreSQL was built without ICU, by bytes.
-- +goose StatementBegin
do $$
begin
  if exists (select from pg_collation where collname = 'und-x-icu') then
    create collation read.words from pg_catalog."und-x-icu";
  else
    create collation read.words from pg_catalog."C";
  end if;
end $$;
-- +goose StatementEnd

-- Up to which position of an organization's log each projection has applied. It moves in the
-- transaction of the rows it speaks of.
create table read.checkpoints (
  organization_id uuid   not null,
  projection      text   not null,
  position        bigint not null check (position >= 0),
  primary key (organization_id, projection)
) with (fillfactor = 50);
select read.guard('read.checkpoints');

-- How many rows an organization has of a resource, for lists without a filter.
create table read.totals (
  organization_id uuid   not null,
  resource        text   not null,
  n               bigint not null check (n >= 0),
  primary key (organization_id, resource)
) with (fillfactor = 50);
select read.guard('read.totals');

create table read.organizations (
  organization_id uuid        not null,
  version         bigint      not null, -- ETag
  position        bigint      not null, -- of the event that changed it last
  name            text        not null collate read.words,
  slug            text        not null default '',
  plan            text        not null default '',
  contact_id      uuid,                 -- the subject of the two sealed texts
  contact_email   text        not null default '', -- sealed
  contact_phone   text        not null default '', -- sealed
  is_active       boolean     not null default true,
  four_eyes       text        not null default '', -- auto, on, off
  language        text        not null default '',
  zone            text        not null default '',
  rates           json,                 -- basis points by name
  created_at      timestamptz not null,
  updated_at      timestamptz not null,
  primary key (organization_id)
);
select read.guard('read.organizations');

-- User accounts, all in the platform log: organization_id is nil in each row.
create table read.accounts (
  organization_id uuid        not null,
  id              uuid        not null,
  version         bigint      not null,
  position        bigint      not null,
  email           text        not null default '', -- sealed, like the names
  first_name      text        not null default '',
  last_name       text        not null default '',
  is_active       boolean     not null default true,
  two_factor      boolean     not null default false,
  active_role_id  uuid,
  created_at      timestamptz not null,
  updated_at      timestamptz not null,
  primary key (organization_id, id)
);
create index accounts_created_idx on read.accounts (organization_id, created_at, id);
select read.guard('read.accounts');

-- Who holds which role; organization_id is where the role holds, nil on the platform.
create table read.roles (
  organization_id uuid        not null,
  id              uuid        not null,
  account_id      uuid        not null,
  role            text        not null,
  position        bigint      not null,
  granted_at      timestamptz not null,
  primary key (organization_id, id)
);
create index roles_account_idx on read.roles (organization_id, account_id);
select read.guard('read.roles');

-- What an auditor may read, when not the whole organization.
create table read.mandates (
  organization_id uuid        not null,
  id              uuid        not null,
  account_id      uuid        not null,
  buildings       uuid[]      not null,
  from_day        date,
  to_day          date,
  position        bigint      not null,
  given_at        timestamptz not null,
  primary key (organization_id, id)
);
create index mandates_account_idx on read.mandates (organization_id, account_id);
select read.guard('read.mandates');

create table read.buildings (
  organization_id   uuid        not null,
  id                uuid        not null,
  version           bigint      not null, -- ETag
  position          bigint      not null, -- of the event that changed it last
  name              text        not null collate read.words,
  address           text        not null collate read.words,
  city              text        not null collate read.words,
  postal_code       text        not null,
  country           text        not null,
  lots              integer     not null,
  shares            bigint      not null, -- ten-thousandths
  construction_year integer,
  slug              text        not null default '',
  enterprise_number text        not null default '',
  iban_working      text        not null default '',
  iban_reserve      text        not null default '',
  fiscal_year_start text        not null default '', -- month and day, 01-01
  entrances         text[]      not null default '{}',
  zone              text        not null,
  created_at        timestamptz not null,
  updated_at        timestamptz not null,
  primary key (organization_id, id)
);
-- One for each order of the list. The id makes an order total, as cursors need it; a year that
-- is not known comes first, as year 0. A text inside another (filter q) is looked for in the
-- organization's own rows, which these indexes find: no index of words pays for a few thousand.
create index buildings_created_idx on read.buildings (organization_id, created_at, id);
create index buildings_name_idx on read.buildings (organization_id, name, id);
create index buildings_lots_idx on read.buildings (organization_id, lots, id);
create index buildings_city_idx on read.buildings (organization_id, city, id);
create index buildings_year_idx on read.buildings
  (organization_id, coalesce(construction_year, 0), id);
select read.guard('read.buildings');

-- goose notes the version as the owner.
set local role koprogo_owner;
