-- ---------------------------------------------------------------------------------------------------------------------
-- JSON in texts: https://www.sqlite.org/json1.html
-- ---------------------------------------------------------------------------------------------------------------------

-- The value that the steps lead to, as it is written: '.key', '3' or '#-1'. Of keys that are there twice SQLite takes the
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
            place := CASE WHEN left(step, 2) = '#-' THEN json_array_length(value) - substring(step, 3)::integer
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
        found := regexp_match(rest, '^(?:\."([^"\\]*)"|\.([^.\[\]"\\]+)|\[(#-[0-9]{1,9}|[0-9]{1,9})\])(.*)$');
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

-- The members of an object or an array; anything else is one without a key. Keys, values and atoms are JSON.
CREATE OR REPLACE FUNCTION sqlite.json_each(
    document text, VARIADIC steps text[] DEFAULT '{}',
    OUT key text, OUT value text, OUT type text, OUT atom text, OUT fullkey text, OUT path text
) RETURNS SETOF record
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT member.key, sqlite.json_minified(member.value), sqlite.json_type(member.value::text),
           CASE WHEN json_typeof(member.value) NOT IN ('array', 'object') THEN sqlite.json_minified(member.value) END,
           '$' || member.place, '$'
    FROM (SELECT sqlite.json_at(document, VARIADIC steps) AS found) AS at, LATERAL (
        SELECT to_json(pair.key)::text AS key, pair.value, pair.number, '.' || CASE WHEN pair.key ~ '^[A-Za-z][A-Za-z0-9]*$'
               THEN pair.key ELSE '"' || pair.key || '"' END AS place
        FROM json_each(CASE WHEN json_typeof(found) = 'object' THEN found END) WITH ORDINALITY AS pair(key, value, number)
        UNION ALL
        SELECT (item.number - 1)::text, item.value, item.number, '[' || item.number - 1 || ']'
        FROM json_array_elements(CASE WHEN json_typeof(found) = 'array' THEN found END) WITH ORDINALITY AS item(value, number)
        UNION ALL
        SELECT NULL, found, 1, '' WHERE json_typeof(found) NOT IN ('object', 'array')
    ) AS member ORDER BY member.number
$$;

-- Of several paths: an array of what they lead to.
CREATE OR REPLACE FUNCTION sqlite.json_parts(document text, VARIADIC paths text[]) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN array_position(paths, NULL) IS NULL THEN '[' || string_agg(coalesce(
        sqlite.json_part(document, VARIADIC sqlite.json_steps(path)), 'null'), ',' ORDER BY number) || ']' END
    FROM unnest(paths) WITH ORDINALITY AS one(path, number)
$$;
