-- +goose Up
set local role koprogo_projector;

-- Suppliers, entered at their first use in a charge.
create table read.suppliers (
  organization_id uuid        not null,
  id              uuid        not null,
  position        bigint      not null, -- of the event that changed it last
  name            text        not null default '', -- sealed
  created_at      timestamptz not null,
  primary key (organization_id, id)
);
select read.guard('read.suppliers');

-- Charges. Amounts are cents above zero; a credit note counts negatively where they are added up.
create table read.charges (
  organization_id  uuid        not null,
  id               uuid        not null,
  version          bigint      not null, -- ETag
  position         bigint      not null, -- of the event that changed it last
  building_id      uuid        not null,
  kind             text        not null, -- invoice, credit_note, expense_note
  category         text        not null,
  description      text        not null default '', -- sealed
  date             date        not null,
  due_date         date,
  paid_on          date,
  approval_status  text        not null, -- draft, pending_approval, approved, rejected
  payment_status   text        not null, -- pending, paid, overdue, cancelled
  supplier_id      uuid,
  invoice_number   text        not null default '',
  account_code     text        not null default '', -- as given; each line has its own or this
  key_id           uuid,
  private_lot_id   uuid,
  vat_rate_reason  text        not null default '',
  priced           text        not null, -- gross, net, lines
  net              bigint      not null,
  vat              bigint      not null,
  gross            bigint      not null,
  lines            json        not null, -- without their texts
  line_texts       text[]      not null, -- sealed, one a line; '' where it is the description
  submitted_at     timestamptz,
  submitted_by     uuid,
  approved_at      timestamptz,
  approved_by      uuid,
  rejected_at      timestamptz,
  rejected_by      uuid,
  rejection_reason text        not null default '', -- sealed
  bank_reference   text        not null default '',
  created_at       timestamptz not null,
  updated_at       timestamptz not null,
  primary key (organization_id, id)
);
-- One for each order of the list, and one for a building's charges. The other filters narrow these:
-- few kinds of a status, an account or a supplier are rare enough to be found by one of their own.
create index charges_date_idx on read.charges (organization_id, date, id);
create index charges_gross_idx on read.charges (organization_id, gross, id);
create index charges_created_idx on read.charges (organization_id, created_at, id);
create index charges_payment_idx on read.charges (organization_id, payment_status, id);
create index charges_building_idx on read.charges (organization_id, building_id, date, id);
create index charges_supplier_idx on read.charges (organization_id, supplier_id, date, id)
  where supplier_id is not null;
create index charges_pending_idx on read.charges (organization_id, date, id)
  where approval_status = 'pending_approval';
create index charges_due_idx on read.charges (organization_id, due_date, id)
  where approval_status = 'approved' and payment_status = 'pending' and due_date is not null;
select read.guard('read.charges');

-- What approved charges came to for whom, frozen at approval. The four lists stand side by side: a
-- lot, its owner (the nil uuid for none), its part of the charge in millionths, signed cents.
create table read.divisions (
  organization_id uuid        not null,
  id              uuid        not null, -- the charge's
  position        bigint      not null,
  building_id     uuid        not null,
  date            date        not null, -- the charge's
  cancelled       boolean     not null, -- then nothing of it is due
  lots            uuid[]      not null,
  owners          uuid[]      not null,
  parts           bigint[]    not null,
  amounts         bigint[]    not null,
  created_at      timestamptz not null,
  primary key (organization_id, id)
);
select log.compress('read.divisions', 'lots', 'owners', 'parts', 'amounts');
create index divisions_building_idx on read.divisions (organization_id, building_id, date, id);
select read.guard('read.divisions');

-- Charges by account, for the PCN report: a row for each account of a charge. Signed cents.
create table read.pcn_entries (
  organization_id uuid   not null,
  id              uuid   not null, -- made of the charge's and the account
  position        bigint not null,
  charge_id       uuid   not null,
  building_id     uuid   not null,
  date            date   not null, -- the charge's
  account_code    text   not null collate "C",
  category        text   not null,
  amount          bigint not null,
  approval_status text   not null,
  payment_status  text   not null,
  paid_on         date,
  primary key (organization_id, id)
);
create index pcn_entries_building_idx on read.pcn_entries (organization_id, building_id, date);
create index pcn_entries_account_idx on read.pcn_entries
  (organization_id, account_code, charge_id);
select read.guard('read.pcn_entries');

-- goose notes the version as the owner.
set local role koprogo_owner;
