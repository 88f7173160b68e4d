-- +goose Up
set local role koprogo_projector;

-- Owners, all of whose texts are sealed: sorting and searching by name or e-mail is done on an
-- index in the server's memory, where they are opened.
create table read.owners (
  organization_id   uuid        not null,
  id                uuid        not null,
  version           bigint      not null, -- ETag: what he holds does not move it
  position          bigint      not null, -- of the event that changed it last
  account_id        uuid,                 -- by which he signs in
  kind              text        not null, -- person, company, group
  first_name        text        not null default '', -- sealed, like all that follow
  last_name         text        not null default '',
  company_name      text        not null default '',
  enterprise_number text        not null default '',
  language          text        not null default '',
  email             text        not null default '',
  phone             text        not null default '',
  street            text        not null default '',
  house_number      text        not null default '',
  address           text        not null default '',
  city              text        not null default '',
  postal_code       text        not null default '',
  country           text        not null default '',
  iban              text        not null default '',
  mandatary         text        not null default '',
  created_at        timestamptz not null,
  updated_at        timestamptz not null,
  primary key (organization_id, id)
);
create index owners_account_idx on read.owners (organization_id, account_id)
  where account_id is not null;
select read.guard('read.owners');

-- goose notes the version as the owner.
set local role koprogo_owner;
