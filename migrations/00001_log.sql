-- +goose Up
-- The log: heads, events, claims, idempotency, keys, checkpoints, credentials and sessions.
-- This file only goes forward. The roles and the empty schema are made before it (roles.sql), and
-- it runs as koprogo_owner, who owns everything below and to whom no server connects.
--
-- Each table is distributed, then guarded, then granted, at the end of the file. Every primary key
-- and unique index begins with organization_id; names have at most 50 characters.

-- Nobody calls a function that was not granted to him.
alter default privileges revoke execute on functions from public;

-- Does nothing on plain PostgreSQL; where Citus is installed it spreads a table by organization.
-- Triggers and policies come after it.
-- +goose StatementBegin
create function log.distribute(t regclass) returns void language plpgsql as $$
begin
  if exists (select from pg_extension where extname = 'citus') then
    execute format('select create_distributed_table(%L, %L)', t::text, 'organization_id');
  end if;
end $$;
-- +goose StatementEnd

-- Has long values of columns compressed by LZ4, several times faster than PostgreSQL's default, where
-- the server was built with it.
-- +goose StatementBegin
create function log.compress(t regclass, variadic columns text[]) returns void
language plpgsql as $$
declare
  named text;
begin
  foreach named in array columns loop
    execute format('alter table %s alter column %I set compression lz4', t, named);
  end loop;
exception when feature_not_supported then null;
end $$;
-- +goose StatementEnd

-- Puts a table under row-level security: writer and projector see every row (what they may do at
-- all, grants say), the reader sees the organization that it entered. Policies keep their table
-- when it is renamed. Nothing is forced on the table's owner.
-- +goose StatementBegin
create function log.guard(t regclass) returns void language plpgsql as $$
declare
  role text;
begin
  execute format('alter table %s enable row level security', t);
  foreach role in array array['writer', 'projector', 'reader'] loop
    if exists (select from pg_policy where polrelid = t and polname = role) then
      execute format('drop policy %I on %s', role, t);
    end if;
  end loop;
  execute format('create policy writer on %s to koprogo_writer using (true) with check (true)', t);
  execute format('create policy projector on %s to koprogo_projector '
    'using (true) with check (true)', t);
  execute format('create policy reader on %s for select to koprogo_reader '
    'using (log.may_read(organization_id))', t);
end $$;
-- +goose StatementEnd

-- The head of each organization's log: position of its newest event, the compact range of its
-- Merkle tree, and the epoch, which rises at a restore or a failover. Every append updates a row:
-- half-empty pages let the new version stay on the old one's page, and no index moves.
create table log.logs (
  organization_id uuid        primary key,
  position        bigint      not null check (position >= 0),
  recorded_at     timestamptz not null,
  tree            bytea       not null,
  epoch           integer     not null default 1 check (epoch > 0)
) with (fillfactor = 50);

create table log.events (
  organization_id uuid        not null,
  position        bigint      not null check (position > 0),
  building_id     uuid,
  subjects        uuid[]      check (cardinality(subjects) > 0), -- none is null
  stream          text collate "C" not null,
  version         bigint      not null check (version > 0),
  id              uuid        not null,
  type            text        not null,
  schema          integer     not null check (schema > 0),
  data            json        not null,
  metadata        json        not null,
  recorded_at     timestamptz not null,
  effective_at    timestamptz,
  leaf_hash       bytea       not null check (octet_length(leaf_hash) = 32),
  primary key (organization_id, position)
);
select log.compress('log.events', 'data', 'metadata');
create unique index events_stream_key on log.events (organization_id, stream, version);
-- A building's own stream is found by events_stream_key: here are the building's other streams.
-- Each index of scattered keys takes a third of an append (docs/decisions/indexes-of-the-log.md).
create index events_building_idx on log.events (organization_id, building_id, position)
  where building_id is not null and (stream < 'building-' or stream >= 'building.');
-- Whose only subject is the stream's own (an owner in his stream) or the event itself (a free text)
-- is found by events_stream_key or the event's place: here are the others.
create index events_subjects_idx on log.events using gin (subjects)
  where subjects is not null and (cardinality(subjects) > 1 or subjects[1] <> id
                                  and stream not like '%-' || subjects[1]::text);

-- One holder at a time has a name: "slug:les-erables", "email:<hmac>", "building/7".
create table log.claims (
  organization_id uuid not null,
  name            text not null,
  kind            text not null,
  holder          text not null, -- a stream
  subject         uuid,          -- the claim goes with this person's erasure
  primary key (organization_id, name)
);
create index claims_holder_idx on log.claims (organization_id, holder, kind);
create index claims_subject_idx on log.claims (organization_id, subject) where subject is not null;

create table log.idempotency (
  organization_id uuid        not null,
  actor           uuid        not null,
  key             text        not null,
  request         bytea       not null, -- HMAC of method, path and body
  status          integer     not null,
  resource        text        not null,
  position        bigint      not null,
  recorded_at     timestamptz not null,
  primary key (organization_id, actor, key)
);
create index idempotency_age_idx on log.idempotency (organization_id, recorded_at);

-- Data keys, each wrapped by the master key. Purpose: subject, claims, checkpoint.
create table log.keys (
  organization_id uuid        not null,
  purpose         text        not null check (purpose in ('subject', 'claims', 'checkpoint')),
  subject         uuid        not null, -- nil uuid for claims and checkpoint
  wrapped         bytea       not null,
  created_at      timestamptz not null default now(),
  primary key (organization_id, purpose, subject)
);

-- Signed notes (C2SP tlog-checkpoint) over the tree at a size.
create table log.checkpoints (
  organization_id uuid        not null,
  size            bigint      not null,
  root_hash       bytea       not null check (octet_length(root_hash) = 32),
  note            text        not null,
  signed_at       timestamptz not null default now(),
  primary key (organization_id, size)
);

-- Secrets that never enter the log. organization_id is the platform's (nil) in each row.
create table log.credentials (
  organization_id  uuid        not null,
  account_id       uuid        not null,
  password_hash    text,        -- argon2id, PHC string
  totp_secret      bytea,       -- wrapped by the account's key
  totp_last_step   bigint,      -- a code works once
  totp_verified_at timestamptz,
  totp_used_at     timestamptz,
  backup_codes     text[],      -- hashes; a used one is taken out
  updated_at       timestamptz not null default now(),
  primary key (organization_id, account_id)
);

-- One row a family of refresh tokens, that is, a signed-in session.
create table log.sessions (
  organization_id uuid        not null,
  id              uuid        not null,
  account_id      uuid        not null,
  role_id         uuid        not null,
  token_hash      bytea       not null, -- SHA-256 of the refresh token that works
  previous_hash   bytea,                -- the one before, honoured for 30 s
  rotated_at      timestamptz not null,
  created_at      timestamptz not null default now(),
  expires_at      timestamptz not null,
  address         text,                 -- sealed under the account's key
  agent           text,
  primary key (organization_id, id)
);
create index sessions_account_idx on log.sessions (organization_id, account_id);
create index sessions_expiry_idx on log.sessions (organization_id, expires_at);

-- One-time links: invitations and password resets.
create table log.links (
  organization_id uuid        not null,
  token_hash      bytea       not null,
  account_id      uuid        not null,
  purpose         text        not null check (purpose in ('invitation', 'reset')),
  expires_at      timestamptz not null,
  used_at         timestamptz,
  primary key (organization_id, token_hash)
);
create index links_account_idx on log.links (organization_id, account_id);

-- Failed sign-ins, by HMAC of account or address.
create table log.attempts (
  organization_id uuid        not null,
  who             bytea       not null,
  at              timestamptz not null
);
create index attempts_who_idx on log.attempts (organization_id, who, at);
create index attempts_age_idx on log.attempts (organization_id, at);

-- Long work, as /jobs/{id} shows it.
create table log.jobs (
  organization_id uuid        not null,
  id              uuid        not null,
  actor           uuid        not null,
  kind            text        not null,
  status          text        not null check (status in ('queued', 'running', 'done', 'failed')),
  progress        integer     not null default 0 check (progress between 0 and 100),
  created_at      timestamptz not null default now(),
  finished_at     timestamptz,
  result          json,
  problem         text,
  primary key (organization_id, id)
);

-- Who read which personal data. Rows are added and stay.
create table log.access (
  organization_id uuid        not null,
  id              uuid        not null, -- UUIDv7: its order is the order of reading
  at              timestamptz not null,
  actor           uuid        not null,
  role            text        not null,
  subject         uuid        not null,
  resource        text        not null, -- kind and id, such as "user/018f…"
  request_id      text        not null,
  primary key (organization_id, id)
);
create index access_subject_idx on log.access (organization_id, subject, id);

select log.distribute(t) from unnest(array[
  'log.logs', 'log.events', 'log.claims', 'log.idempotency', 'log.keys', 'log.checkpoints',
  'log.credentials', 'log.sessions', 'log.links', 'log.attempts', 'log.jobs', 'log.access'
]::regclass[]) as t;

-- Nobody changes what was recorded, not even the owner by accident.
-- +goose StatementBegin
create function log.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'recorded events are never changed: % refused', tg_op
    using errcode = 'KG002';
end $$;
-- +goose StatementEnd
create trigger events_refuse_change before update or delete or truncate on log.events
  for each statement execute function log.refuse_change();
alter table log.events enable always trigger events_refuse_change;

-- Moves heads by compare-and-set, in the order given (ascending: the planner is left no other way
-- than to take them one by one through the key). It raises KG001, naming the first organization
-- whose head does not stand where the caller believed: COMMIT travels in the same pipeline, so the
-- transaction has to fail by itself. An epoch of 0 makes a new head.
-- +goose StatementBegin
create function log.move_heads(
  organizations uuid[], believed bigint[], epochs integer[],
  positions bigint[], recorded timestamptz[], trees bytea[]
) returns void language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  moved bigint;
  made  bigint := 0;
  stale uuid;
begin
  update log.logs l set position = h.p, recorded_at = h.r, tree = h.t
    from unnest(organizations, believed, epochs, positions, recorded, trees)
         as h (o, b, e, p, r, t)
   where l.organization_id = h.o and l.position = h.b and l.epoch = h.e;
  get diagnostics moved = row_count;
  if moved < cardinality(organizations) then
    insert into log.logs (organization_id, position, recorded_at, tree)
    select h.o, h.p, h.r, h.t
      from unnest(organizations, epochs, positions, recorded, trees) as h (o, e, p, r, t)
     where h.e = 0
    on conflict (organization_id) do nothing;
    get diagnostics made = row_count;
  end if;
  if moved + made < cardinality(organizations) then
    select h.o into stale
      from unnest(organizations, positions, trees) as h (o, p, t)
     where not exists (select from log.logs l
                        where l.organization_id = h.o and l.position = h.p and l.tree = h.t)
     order by h.o limit 1;
    raise exception 'a head moved' using errcode = 'KG001', detail = coalesce(stale::text, '');
  end if;
end $$;
-- +goose StatementEnd

-- The same for one head that the caller moves by an update of his own: moved is how many rows that
-- update found.
-- +goose StatementBegin
create function log.require_moved_head(moved bigint, organization uuid) returns void
language plpgsql as $$
begin
  if moved = 0 then
    raise exception 'a head moved' using errcode = 'KG001', detail = organization::text;
  end if;
end $$;
-- +goose StatementEnd

-- The reader sees the organization that it entered for the transaction; one that entered none
-- sees no row. Not set_config: that does not reach the nodes of a distributed database.
-- +goose StatementBegin
create function log.enter_organization(id uuid) returns void language plpgsql as $$
begin
  execute format('set local app.organization = %L', id::text);
end $$;
-- +goose StatementEnd

-- For a superadmin's lists only.
-- +goose StatementBegin
create function log.enter_every_organization() returns void language plpgsql as $$
begin
  execute 'set local app.organization = ''every''';
end $$;
-- +goose StatementEnd

-- One expression and no "set", so that PostgreSQL writes it into the query that it guards. Of a
-- coalesce it believes that half of the rows pass, of a bare comparison that hardly any does: then
-- it would sort an organization's rows for a page of 20 instead of reading them in order.
-- +goose StatementBegin
create function log.may_read(organization uuid) returns boolean
language sql stable parallel safe as $$
  select coalesce(
    current_setting('app.organization', true) in (organization::text, 'every'), false)
$$;
-- +goose StatementEnd

select log.guard(t) from unnest(array[
  'log.logs', 'log.events', 'log.claims', 'log.idempotency', 'log.keys', 'log.checkpoints',
  'log.credentials', 'log.sessions', 'log.links', 'log.attempts', 'log.jobs', 'log.access'
]::regclass[]) as t;

grant usage on schema log to koprogo_writer, koprogo_projector, koprogo_reader;

-- The writer adds to the log and moves its heads; it takes nothing away. What is no record of the
-- past (claims, keys, credentials, work in hand) it manages wholly.
grant select, insert on log.events, log.checkpoints, log.access to koprogo_writer;
grant select, insert, update on log.logs to koprogo_writer;
grant select, insert, update, delete on
  log.claims, log.idempotency, log.keys, log.credentials, log.sessions, log.links,
  log.attempts, log.jobs
  to koprogo_writer;
grant execute on function log.move_heads, log.require_moved_head to koprogo_writer;

-- The projector reads facts, sealed as they are: it has no keys.
grant select on log.logs, log.events to koprogo_projector;
grant execute on function log.distribute, log.guard, log.compress to koprogo_projector;

grant select on
  log.logs, log.events, log.checkpoints, log.jobs, log.access, log.migrations
  to koprogo_reader;
grant execute on function
  log.enter_organization, log.enter_every_organization, log.may_read
  to koprogo_reader;
