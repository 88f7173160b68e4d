-- +goose Up
set local role koprogo_projector;

-- Distribution keys: what each lot weighs, from which day on.
create table read.keys (
  organization_id uuid        not null,
  id              uuid        not null,
  version         bigint      not null, -- ETag
  position        bigint      not null, -- of the event that changed it last
  building_id     uuid        not null,
  name            text        not null collate read.words, -- of the last of versions
  versions        json        not null, -- name, base, first day and weights, by first day
  created_at      timestamptz not null,
  updated_at      timestamptz not null,
  primary key (organization_id, id)
);
create index keys_building_idx on read.keys (organization_id, building_id, name, id);
create index keys_name_idx on read.keys (organization_id, name, id);
select read.guard('read.keys');

-- goose notes the version as the owner.
set local role koprogo_owner;
