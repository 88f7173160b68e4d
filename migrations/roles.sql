-- What stands before the numbered files, made by Migrate at each run and harmless when it is
-- there: the four roles, their membership, and three empty schemas with their owners. It runs as
-- the login, which needs CREATEROLE and CREATE on the database and no superuser.
--
-- Roles belong to the whole cluster: another database may have made them. Then PostgreSQL 15 lets
-- any login with CREATEROLE grant them, later ones only a login with the admin option.
-- app.server_login names a second login, which serves without owning the log; empty when the
-- server uses this one.
do $$
declare
  -- From 16 on a membership says what it is good for: to become the role, without its rights
  -- before that. Up to 15 the login's own INHERIT or NOINHERIT decides about the latter.
  modern constant boolean := current_setting('server_version_num')::integer >= 160000;
  options constant text := case when modern then ' with inherit false, set true' else '' end;
  privilege constant text := case when modern then 'set' else 'member' end;
  server_login constant text := nullif(current_setting('app.server_login', true), '');
  wanted record;
  holder text;
begin
  foreach holder in array array[
    'koprogo_owner', 'koprogo_writer', 'koprogo_projector', 'koprogo_reader'
  ] loop
    if not exists (select from pg_roles where rolname = holder) then
      execute format('create role %I nologin', holder);
    end if;
    if not pg_has_role(current_user, holder, privilege) then
      execute format('grant %I to %I%s', holder, current_user, options);
    end if;
    if server_login is not null and holder <> 'koprogo_owner'
       and not pg_has_role(server_login, holder, privilege) then
      execute format('grant %I to %I%s', holder, server_login, options);
    end if;
  end loop;

  for wanted in
    select * from (values
      ('log', 'koprogo_owner'),
      ('read', 'koprogo_projector'),
      ('river', 'koprogo_writer')
    ) as schemas (name, owner)
  loop
    select nspowner::regrole::text into holder from pg_namespace where nspname = wanted.name;
    if holder is null then
      execute format('create schema %I authorization %I', wanted.name, wanted.owner);
    elsif holder <> wanted.owner then
      raise exception 'the schema % belongs to %, where % is expected',
        wanted.name, holder, wanted.owner;
    end if;
  end loop;
end $$;
