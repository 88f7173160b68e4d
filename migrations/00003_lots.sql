-- +goose Up
set local role koprogo_projector;

-- Numbers of lots as people count: A2 before A10. Where PostgreSQL was built without ICU, by bytes.
-- +goose StatementBegin
do $$
begin
  if exists (select from pg_collation where collname = 'und-x-icu') then
    create collation read.numbers (provider = icu, locale = 'und-u-kn-true');
  else
    create collation read.numbers from pg_catalog."C";
  end if;
end $$;
-- +goose StatementEnd

create table read.lots (
  organization_id uuid        not null,
  id              uuid        not null,
  version         bigint      not null, -- ETag: counts what changed the lot or its ownerships
  position        bigint      not null, -- of the event that changed it last
  building_id     uuid        not null,
  number          text        not null collate read.numbers,
  type            text        not null, -- apartment, parking, cellar, commercial, other
  floor           integer,
  surface         bigint      not null, -- ten-thousandths of a square metre
  shares          bigint      not null, -- ten-thousandths
  sort_key        text        not null collate "C",
  owners          json        not null, -- who owned it when: its primary contact depends on the day
  created_at      timestamptz not null,
  updated_at      timestamptz not null,
  primary key (organization_id, id)
);
-- One for each order of the list, and one for a building's lots. A floor that is not known comes
-- first.
create index lots_number_idx on read.lots (organization_id, number, id);
create index lots_floor_idx on read.lots (organization_id, coalesce(floor, -1000), id);
create index lots_surface_idx on read.lots (organization_id, surface, id);
create index lots_created_idx on read.lots (organization_id, created_at, id);
create index lots_building_idx on read.lots (organization_id, building_id, number, id);
select read.guard('read.lots');

-- To which building a lot belonged that was removed: earlier moments of it are looked for there.
create table read.removed_lots (
  organization_id uuid not null,
  id              uuid not null,
  building_id     uuid not null,
  primary key (organization_id, id)
);
select read.guard('read.removed_lots');

-- Every ownership there ever was, also of lots that were removed.
create table read.ownerships (
  organization_id uuid        not null,
  id              uuid        not null,
  version         bigint      not null, -- ETag
  position        bigint      not null, -- of the event that changed it last
  building_id     uuid        not null,
  lot_id          uuid        not null,
  owner_id        uuid        not null,
  held_right      text        not null, -- full, usufruct, bare
  fraction        text        not null, -- the last one of steps, such as 1/3
  from_day        date        not null,
  to_day          date,                 -- the last day; before from_day where it was never held
  named           integer     not null, -- when it was named primary contact of its lot; 0: never
  steps           json        not null, -- every fraction, with its first day
  deed_reference  text        not null default '',
  sold_by         uuid,
  sold_to         uuid,
  created_at      timestamptz not null,
  updated_at      timestamptz not null,
  primary key (organization_id, id)
);
create index ownerships_lot_idx on read.ownerships (organization_id, lot_id, id);
create index ownerships_owner_idx on read.ownerships (organization_id, owner_id, id);
create index ownerships_building_idx on read.ownerships (organization_id, building_id, id);
select read.guard('read.ownerships');

-- goose notes the version as the owner.
set local role koprogo_owner;
