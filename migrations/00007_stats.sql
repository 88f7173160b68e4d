-- +goose Up
set local role koprogo_projector;

-- The figures of the landing pages. They are kept by the projections of what they count, which
-- therefore start again: every read model is filled anew from the log.
truncate read.checkpoints, read.totals, read.organizations, read.accounts, read.roles,
  read.mandates, read.buildings, read.lots, read.removed_lots, read.ownerships, read.owners,
  read.keys, read.suppliers, read.charges, read.divisions, read.pcn_entries;

-- What the lots of a building come to, beside what its deed says.
create table read.lot_figures (
  organization_id uuid   not null,
  id              uuid   not null, -- the building's
  lots            bigint not null, -- that are registered
  shares          bigint not null, -- of these together, in ten-thousandths
  total_shares    bigint not null, -- that the deed names
  vacant          bigint not null, -- lots that nobody owns, nor will by what is known
  primary key (organization_id, id)
) with (fillfactor = 50);
-- What wants to be put right is found without looking at what does not.
create index lot_figures_uneven_idx on read.lot_figures (organization_id, id)
  where lots > 0 and shares <> total_shares;
create index lot_figures_vacant_idx on read.lot_figures (organization_id, id) where vacant > 0;
select read.guard('read.lot_figures');

-- Lots that are owned on some days to come and on others not: whether one is vacant depends on the
-- day that is asked for.
create table read.dated_lots (
  organization_id uuid not null,
  id              uuid not null, -- the lot's
  building_id     uuid not null,
  held            text not null, -- a datemultirange of the days on which somebody owns it
  primary key (organization_id, id)
);
select read.guard('read.dated_lots');

-- What charges come to: of a building, and of the whole organization under the organization's id.
-- Signed cents: a credit note counts negatively.
create table read.charge_figures (
  organization_id uuid   not null,
  id              uuid   not null,
  pending         bigint not null, -- charges whose payment is pending
  pending_amount  bigint not null, -- of these
  paid            bigint not null, -- cents of what was paid
  unpaid          bigint not null, -- cents of what is pending or overdue and was not rejected
  overdue_owners  bigint not null, -- owners who bear a part of an overdue charge
  months          json   not null, -- cents by the month of the charges' days, oldest first
  primary key (organization_id, id)
) with (fillfactor = 50);
select read.guard('read.charge_figures');

-- Who bears a part of how many overdue charges of a building, or under the organization's id of all.
create table read.overdue_owners (
  organization_id uuid   not null,
  id              uuid   not null, -- made of the building's, or organization's, and the owner's
  scope_id        uuid   not null, -- the building, or organization
  owner_id        uuid   not null,
  charges         bigint not null check (charges > 0),
  primary key (organization_id, id)
);
create index overdue_owners_scope_idx on read.overdue_owners (organization_id, scope_id, owner_id);
select read.guard('read.overdue_owners');

-- What is overdue, longest first; what was paid, last first; what owners still have to bear.
create index charges_overdue_idx on read.charges (organization_id, due_date, id)
  where payment_status = 'overdue';
create index charges_paid_idx on read.charges (organization_id, paid_on, id)
  where payment_status = 'paid';
create index charges_unpaid_idx on read.charges (organization_id, building_id, id)
  where approval_status = 'approved' and payment_status = 'pending';

-- goose notes the version as the owner.
set local role koprogo_owner;
