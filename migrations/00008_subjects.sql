-- +goose Up
-- What stands in a person's own stream with nobody else's texts is found by events_stream_key, as
-- before. The index tells it by the stream's category and no longer by the person's id, which took
-- a thirtieth of an append; that such a stream holds no other person's texts alone is the writer's to
-- see to (Store.Append).
drop index if exists log.events_subjects_idx;
create index events_subjects_idx on log.events using gin (subjects)
  where subjects is not null and (cardinality(subjects) > 1
    or (stream < 'account-' or stream >= 'account.') and (stream < 'owner-' or stream >= 'owner.')
       and (stream < 'supplier-' or stream >= 'supplier.') and subjects[1] <> id);
