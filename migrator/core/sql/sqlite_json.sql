-- ---------------------------------------------------------------------------------------------------------------------
-- JSON in texts: https://www.sqlite.org/json1.html
-- ---------------------------------------------------------------------------------------------------------------------

-- The value that the steps lead to, as it is written: '.key', '3', '#-1' or '#'. Of keys that are there twice SQLite takes the
-- first. What is no JSON is an error, also where SQLite would take JSON5.
CREATE OR REPLACE FUNCTION sqlite.json_at(document text, VARIADIC steps text[] DEFAULT '{}') RETURNS json
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    value json := document;
    step text;
    place integer;
BEGIN
    FOREACH step IN ARRAY steps LOOP
        IF left(step, 1) = '.' THEN
            IF json_typeof(value) <> 'object' THEN
                RETURN NULL;
            END IF;
            value := (SELECT member FROM json_each(value) WITH ORDINALITY AS pair(key, member, number)
                      WHERE key = substring(step, 2) ORDER BY number LIMIT 1);
        ELSIF json_typeof(value) <> 'array' THEN
            RETURN NULL;
        ELSE
            place := CASE WHEN left(step, 1) = '#' THEN json_array_length(value) + coalesce(nullif(substring(step, 2), ''), '0')::integer
                          ELSE step::integer END;
            value := CASE WHEN place >= 0 THEN value -> place END;
        END IF;
        IF value IS NULL THEN
            RETURN NULL;
        END IF;
    END LOOP;
    RETURN value;
END
$$;

CREATE OR REPLACE FUNCTION sqlite.json_type(document text, VARIADIC steps text[] DEFAULT '{}') RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE json_typeof(found)
        WHEN 'string' THEN 'text'
        WHEN 'boolean' THEN btrim(found::text, E' \t\n\r')
        WHEN 'number' THEN CASE WHEN found::text ~ '[.eE]' THEN 'real' ELSE 'integer' END
        ELSE json_typeof(found) END
    FROM (SELECT sqlite.json_at(document, VARIADIC steps) AS found) AS at
$$;

CREATE OR REPLACE FUNCTION sqlite.json_array_length(document text, VARIADIC steps text[] DEFAULT '{}') RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN json_typeof(found) = 'array' THEN json_array_length(found)::bigint
                WHEN found IS NOT NULL THEN 0 END
    FROM (SELECT sqlite.json_at(document, VARIADIC steps) AS found) AS at
$$;

CREATE OR REPLACE FUNCTION sqlite.json_valid(document text) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    PERFORM document::json;
    RETURN 1;
EXCEPTION WHEN invalid_text_representation THEN
    RETURN 0;
END
$$;

-- Raised where the value is of another type than the expression can have.
CREATE OR REPLACE FUNCTION sqlite.json_refuse(value json, wanted text) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL SAFE AS $$
BEGIN
    RAISE data_exception USING MESSAGE = format('json_extract() found a %s where a %s is wanted', json_typeof(value), wanted);
END
$$;

-- Objects and arrays without white space between their parts.
CREATE OR REPLACE FUNCTION sqlite.json_text(document text, VARIADIC steps text[] DEFAULT '{}') RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE json_typeof(found)
        WHEN 'string' THEN found #>> '{}'
        WHEN 'object' THEN regexp_replace(found::text, '("(?:[^"\\]|\\.)*")|[ \t\n\r]+', '\1', 'g')
        WHEN 'array' THEN regexp_replace(found::text, '("(?:[^"\\]|\\.)*")|[ \t\n\r]+', '\1', 'g')
        WHEN 'number' THEN sqlite.json_refuse(found, 'text')
        WHEN 'boolean' THEN sqlite.json_refuse(found, 'text') END
    FROM (SELECT sqlite.json_at(document, VARIADIC steps) AS found) AS at
$$;

-- A boolean is 1 or 0.
CREATE OR REPLACE FUNCTION sqlite.json_integer(document text, VARIADIC steps text[] DEFAULT '{}') RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE sqlite.json_type(document, VARIADIC steps)
        WHEN 'integer' THEN (sqlite.json_at(document, VARIADIC steps) #>> '{}')::bigint
        WHEN 'true' THEN 1
        WHEN 'false' THEN 0
        WHEN 'null' THEN NULL
        ELSE CASE WHEN found IS NOT NULL THEN sqlite.json_refuse(found, 'integer')::bigint END END
    FROM (SELECT sqlite.json_at(document, VARIADIC steps) AS found) AS at
$$;

CREATE OR REPLACE FUNCTION sqlite.json_real(document text, VARIADIC steps text[] DEFAULT '{}') RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE sqlite.json_type(document, VARIADIC steps)
        WHEN 'real' THEN (sqlite.json_at(document, VARIADIC steps) #>> '{}')::double precision
        WHEN 'null' THEN NULL
        ELSE CASE WHEN found IS NOT NULL THEN sqlite.json_refuse(found, 'real')::double precision END END
    FROM (SELECT sqlite.json_at(document, VARIADIC steps) AS found) AS at
$$;

-- The steps of a path that is not known before.
CREATE OR REPLACE FUNCTION sqlite.json_steps(path text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    steps text[] := '{}';
    rest text := substring(path, 2);
    found text[];
BEGIN
    IF left(path, 1) <> '$' THEN
        RAISE data_exception USING MESSAGE = format('bad JSON path: %L', path);
    END IF;
    WHILE rest <> '' LOOP
        found := regexp_match(rest, '^(?:\."([^"\\]*)"|\.([^.\[\]"\\]+)|\[(#-[0-9]{1,9}|#|[0-9]{1,9})\])(.*)$');
        IF found IS NULL THEN
            RAISE data_exception USING MESSAGE = format('bad JSON path: %L', path);
        END IF;
        steps := steps || coalesce(found[3], '.' || coalesce(found[1], found[2]));
        rest := found[4];
    END LOOP;
    RETURN steps;
END
$$;

-- A value as it is written, without white space between its parts.
CREATE OR REPLACE FUNCTION sqlite.json_minified(value json) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT regexp_replace(value::text, '("(?:[^"\\]|\\.)*")|[ \t\n\r]+', '\1', 'g')
$$;
CREATE OR REPLACE FUNCTION sqlite.json_part(document text, VARIADIC steps text[] DEFAULT '{}') RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT sqlite.json_minified(sqlite.json_at(document, VARIADIC steps)) $$;

-- A value of SQL's as one of JSON's.
CREATE OR REPLACE FUNCTION sqlite.json_quote(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT coalesce(to_json(value)::text, 'null') $$;
CREATE OR REPLACE FUNCTION sqlite.json_quote(value bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT coalesce(value::text, 'null') $$;

-- A REAL of up to 13 digits from 0.001 to 1e15, which all versions of SQLite spell alike. Of more digits some write 15 and
-- others 17, of which the last ones are noise; others are refused.
CREATE OR REPLACE FUNCTION sqlite.json_quote_real(value double precision) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF value IS NULL THEN
        RETURN 'null';
    ELSIF value = 0 THEN
        RETURN '0.0';
    ELSIF abs(value) NOT BETWEEN 0.001 AND 999999999999999 OR value::text::double precision <> value
          OR length(btrim(replace(abs(value)::text, '.', ''), '0')) > 13 THEN
        RAISE data_exception USING MESSAGE = format('not every SQLite spells %s alike', value);
    END IF;
    RETURN value::text || CASE WHEN strpos(value::text, '.') = 0 THEN '.0' ELSE '' END;
END
$$;

-- What json_extract() or json_each() found, as it goes into another document; a boolean is a number then. What ->> found is
-- a text also where that is JSON.
CREATE OR REPLACE FUNCTION sqlite.json_taken(document text, VARIADIC steps text[] DEFAULT '{}') RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(CASE kind
        WHEN 'text' THEN sqlite.json_quote(found #>> '{}')
        WHEN 'integer' THEN sqlite.json_quote((found #>> '{}')::bigint)
        WHEN 'real' THEN sqlite.json_quote_real((found #>> '{}')::double precision)
        WHEN 'true' THEN '1'
        WHEN 'false' THEN '0'
        ELSE sqlite.json_minified(found) END, 'null')
    FROM (SELECT sqlite.json_type(document, VARIADIC steps) AS kind, sqlite.json_at(document, VARIADIC steps) AS found) AS at
$$;
CREATE OR REPLACE FUNCTION sqlite.json_taken_as_text(document text, VARIADIC steps text[] DEFAULT '{}') RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN left(part, 1) IN ('{', '[') THEN sqlite.json_quote(part) ELSE part END
    FROM (SELECT sqlite.json_taken(document, VARIADIC steps) AS part) AS taken
$$;

-- Of parts that are JSON: one after the other, or a label and a value in turn.
CREATE OR REPLACE FUNCTION sqlite.json_array(VARIADIC parts text[] DEFAULT '{}') RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT '[' || array_to_string(parts, ',', 'null') || ']' $$;
CREATE OR REPLACE FUNCTION sqlite.json_object(VARIADIC parts text[] DEFAULT '{}') RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    members text[] := '{}';
BEGIN
    FOR place IN 1..coalesce(cardinality(parts), 0) BY 2 LOOP
        IF parts[place] IS NULL THEN
            RAISE data_exception USING MESSAGE = 'json_object() labels must be TEXT';
        END IF;
        members := members || (to_json(parts[place])::text || ':' || coalesce(parts[place + 1], 'null'));
    END LOOP;
    RETURN '{' || array_to_string(members, ',') || '}';
END
$$;

-- Of several paths: an array of what they lead to.
CREATE OR REPLACE FUNCTION sqlite.json_parts(document text, VARIADIC paths text[]) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN array_position(paths, NULL) IS NULL THEN '[' || string_agg(coalesce(
        sqlite.json_part(document, VARIADIC sqlite.json_steps(path)), 'null'), ',' ORDER BY number) || ']' END
    FROM unnest(paths) WITH ORDINALITY AS one(path, number)
$$;

-- What a document without white space consists of, and how many objects and arrays are open behind it.
CREATE OR REPLACE FUNCTION sqlite.json_tokens(document text, OUT number bigint, OUT token text, OUT depth integer)
RETURNS SETOF record LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT number, found[1],
           sum(CASE WHEN found[1] IN ('{', '[') THEN 1 WHEN found[1] IN ('}', ']') THEN -1 ELSE 0 END) OVER (ORDER BY number)
    FROM regexp_matches(document, '"(?:[^"\\]|\\.)*"|[][{},:]|[^][{},:"]+', 'g') WITH ORDINALITY AS matches(found, number)
$$;

-- The members of an object or an array without white space; a label is a key as it is written, with its quotes.
CREATE OR REPLACE FUNCTION sqlite.json_members(
    container text, OUT number bigint, OUT label text, OUT key text, OUT member text
) RETURNS SETOF record
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT pair.number, coalesce(labels[pair.number], '"' || pair.key || '"'), pair.key, pair.value::text
    FROM (
        -- Only where a key may be written in another way than it reads.
        SELECT CASE WHEN strpos(container, '\') > 0 THEN ARRAY(
            SELECT token FROM (
                SELECT one.*, lead(token) OVER (ORDER BY number) AS following FROM sqlite.json_tokens(container) AS one
            ) AS tokens WHERE depth = 1 AND following = ':' ORDER BY number) END AS labels
    ) AS written, json_each(CASE WHEN left(container, 1) = '{' THEN container::json END) WITH ORDINALITY AS pair(key, value, number)
    UNION ALL
    SELECT item.number, NULL, NULL, item.value::text
    FROM json_array_elements(CASE WHEN left(container, 1) = '[' THEN container::json END)
         WITH ORDINALITY AS item(value, number)
$$;

-- The step to such a member in a path.
CREATE OR REPLACE FUNCTION sqlite.json_place(number bigint, label text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN label IS NULL THEN '[' || number - 1 || ']'
                WHEN label ~ '^"[A-Za-z][A-Za-z0-9]*"$' THEN '.' || btrim(label, '"')
                ELSE '.' || label END
$$;

-- An object, or without labels an array; members that are NULL are passed over.
CREATE OR REPLACE FUNCTION sqlite.json_joined(labels text[], members text[], is_object boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN is_object THEN '{' || coalesce(joined, '') || '}' ELSE '[' || coalesce(joined, '') || ']' END
    FROM (SELECT string_agg(CASE WHEN is_object THEN label || ':' ELSE '' END || member, ',' ORDER BY number) AS joined
          FROM unnest(labels, members) WITH ORDINALITY AS one(label, member, number)) AS parts
$$;

-- The document with the part where the steps lead to; 'insert' only where nothing is yet, 'replace' only where something
-- is, 'set' in both cases. 'remove' has no part: NULL says that nothing is left.
CREATE OR REPLACE FUNCTION sqlite.json_changed(document text, steps text[], part text, how text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    step text := steps[1];
    is_object boolean := left(step, 1) = '.';
    labels text[];
    members text[];
    total integer;
    place integer;
    made text;
BEGIN
    IF step IS NULL THEN
        RETURN CASE WHEN how = 'insert' THEN document ELSE part END;
    ELSIF left(document, 1) <> (CASE WHEN is_object THEN '{' ELSE '[' END) THEN
        RETURN document;
    END IF;
    SELECT array_agg(label ORDER BY number), array_agg(member ORDER BY number), count(*),
           min(number) FILTER (WHERE key = substring(step, 2))
    INTO labels, members, total, place FROM sqlite.json_members(document);
    IF is_object THEN
        place := coalesce(place, total + 1);
    ELSIF left(step, 1) = '#' THEN
        place := total + 1 + coalesce(nullif(substring(step, 2), ''), '0')::integer;
    ELSE
        place := step::integer + 1;
    END IF;
    IF place BETWEEN 1 AND total THEN
        members[place] := sqlite.json_changed(members[place], steps[2:], part, how);
    ELSIF place = total + 1 AND how IN ('set', 'insert') THEN
        -- What the other steps lead through is made, but not where one asks for a place behind the first.
        made := CASE WHEN cardinality(steps) = 1 THEN 'null' WHEN left(steps[2], 1) = '.' THEN '{}' ELSE '[]' END;
        part := sqlite.json_changed(made, steps[2:], part, 'set');
        IF cardinality(steps) > 1 AND part = made THEN
            RETURN document;
        END IF;
        labels := labels || to_json(substring(step, 2))::text;
        members := members || part;
    ELSE
        RETURN document;
    END IF;
    RETURN sqlite.json_joined(labels, members, is_object);
END
$$;

-- Paths and parts in turn; a path that is NULL changes nothing.
CREATE OR REPLACE FUNCTION sqlite.json_changed_by(document text, pairs text[], how text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    result text := sqlite.json_part(document);
BEGIN
    FOR place IN 1..coalesce(cardinality(pairs), 0) BY 2 LOOP
        IF pairs[place] IS NOT NULL THEN
            result := sqlite.json_changed(result, sqlite.json_steps(pairs[place]), coalesce(pairs[place + 1], 'null'), how);
        END IF;
    END LOOP;
    RETURN result;
END
$$;
CREATE OR REPLACE FUNCTION sqlite.json_set(document text, VARIADIC pairs text[] DEFAULT '{}') RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT sqlite.json_changed_by(document, pairs, 'set') $$;
CREATE OR REPLACE FUNCTION sqlite.json_insert(document text, VARIADIC pairs text[] DEFAULT '{}') RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT sqlite.json_changed_by(document, pairs, 'insert') $$;
CREATE OR REPLACE FUNCTION sqlite.json_replace(document text, VARIADIC pairs text[] DEFAULT '{}') RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT sqlite.json_changed_by(document, pairs, 'replace') $$;

-- One path after the other, each in what the one before it has left.
CREATE OR REPLACE FUNCTION sqlite.json_remove(document text, VARIADIC paths text[] DEFAULT '{}') RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    result text := sqlite.json_part(document);
    path text;
BEGIN
    FOREACH path IN ARRAY paths LOOP
        EXIT WHEN result IS NULL;
        result := CASE WHEN path IS NOT NULL THEN sqlite.json_changed(result, sqlite.json_steps(path), NULL, 'remove') END;
    END LOOP;
    RETURN result;
END
$$;

-- https://www.rfc-editor.org/rfc/rfc7396, for documents without white space. Of keys that are there twice it is the first.
CREATE OR REPLACE FUNCTION sqlite.json_patched(target text, patch text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    labels text[];
    keys text[];
    members text[];
    place integer;
    one record;
BEGIN
    IF left(patch, 1) <> '{' OR patch IS NULL OR target IS NULL THEN
        RETURN CASE WHEN target IS NOT NULL THEN patch END;
    ELSIF left(target, 1) = '{' THEN
        SELECT array_agg(label ORDER BY number), array_agg(key ORDER BY number), array_agg(member ORDER BY number)
        INTO labels, keys, members FROM sqlite.json_members(target);
    END IF;
    FOR one IN SELECT label, key, member FROM sqlite.json_members(patch) ORDER BY number LOOP
        place := array_position(keys, one.key);
        IF place IS NOT NULL AND one.member = 'null' THEN
            keys[place] := NULL;
            members[place] := NULL;
        ELSIF place IS NOT NULL THEN
            members[place] := sqlite.json_patched(members[place], one.member);
        ELSIF one.member <> 'null' THEN
            labels := labels || one.label;
            keys := keys || one.key;
            members := members || sqlite.json_patched('null', one.member);
        END IF;
    END LOOP;
    RETURN sqlite.json_joined(labels, members, TRUE);
END
$$;
-- What is no JSON is an error also where the other one is NULL.
CREATE OR REPLACE FUNCTION sqlite.json_patch(document text, patch text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT sqlite.json_patched(sqlite.json_part(document), sqlite.json_part(patch))
$$;

CREATE OR REPLACE FUNCTION sqlite.json_pretty(document text, indent text DEFAULT NULL) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT string_agg(CASE
        WHEN token IN ('{', '[') AND following NOT IN ('}', ']') THEN token || E'\n' || repeat(coalesce(indent, '    '), depth)
        WHEN token IN ('}', ']') AND before NOT IN ('{', '[') THEN E'\n' || repeat(coalesce(indent, '    '), depth) || token
        WHEN token = ',' THEN E',\n' || repeat(coalesce(indent, '    '), depth)
        WHEN token = ':' THEN ': '
        ELSE token END, '' ORDER BY number)
    FROM (SELECT one.*, lag(token) OVER (ORDER BY number) AS before, lead(token) OVER (ORDER BY number) AS following
          FROM sqlite.json_tokens(sqlite.json_part(document)) AS one) AS tokens
$$;

-- A document and all that is in it, each before its own members. Keys, values and atoms are JSON.
CREATE OR REPLACE FUNCTION sqlite.json_tree(
    document text, VARIADIC steps text[] DEFAULT '{}',
    OUT key text, OUT value text, OUT type text, OUT atom text, OUT fullkey text, OUT path text
) RETURNS SETOF record
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    WITH RECURSIVE node AS (
        SELECT ARRAY[]::bigint[] AS place, NULL::text AS key, found AS value, '$' AS fullkey, '$' AS path
        FROM (SELECT sqlite.json_part(document, VARIADIC steps) AS found) AS at WHERE found IS NOT NULL
        UNION ALL
        SELECT node.place || one.number, coalesce(one.label, (one.number - 1)::text), one.member,
               node.fullkey || sqlite.json_place(one.number, one.label), node.fullkey
        FROM node, LATERAL sqlite.json_members(CASE WHEN left(node.value, 1) IN ('{', '[') THEN node.value END) AS one
    )
    SELECT node.key, node.value, sqlite.json_type(node.value),
           CASE WHEN left(node.value, 1) NOT IN ('{', '[') THEN node.value END, node.fullkey, node.path
    FROM node ORDER BY node.place
$$;

-- The members of an object or an array; anything else is one without a key. Keys, values and atoms are JSON.
CREATE OR REPLACE FUNCTION sqlite.json_each(
    document text, VARIADIC steps text[] DEFAULT '{}',
    OUT key text, OUT value text, OUT type text, OUT atom text, OUT fullkey text, OUT path text
) RETURNS SETOF record
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT one.key, one.member, sqlite.json_type(one.member),
           CASE WHEN left(one.member, 1) NOT IN ('{', '[') THEN one.member END, '$' || one.place, '$'
    FROM (SELECT sqlite.json_part(document, VARIADIC steps) AS found) AS at, LATERAL (
        SELECT number, coalesce(label, (number - 1)::text) AS key, member, sqlite.json_place(number, label) AS place
        FROM sqlite.json_members(CASE WHEN left(found, 1) IN ('{', '[') THEN found END)
        UNION ALL
        SELECT 1, NULL, found, '' WHERE left(found, 1) NOT IN ('{', '[')
    ) AS one ORDER BY one.number
$$;
