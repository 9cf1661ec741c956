-- SQLite's functions for PostgreSQL, in a schema of their own: the rewriting uses them where PostgreSQL has none that gives
-- the same. Each follows the C source of SQLite (date.c, func.c, printf.c) and is tried against it in the tests.
-- Printed by: migrator rewrite functions. It may be run again; needs PostgreSQL 13.

CREATE SCHEMA IF NOT EXISTS sqlite;

-- ---------------------------------------------------------------------------------------------------------------------
-- Date and time: https://www.sqlite.org/lang_datefunc.html
-- ---------------------------------------------------------------------------------------------------------------------

-- Milliseconds since noon on 24 November 4714 BC, as SQLite counts them.
CREATE OR REPLACE FUNCTION sqlite.milliseconds(y integer, mo integer, d integer, h integer, mi integer, s double precision)
RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (36525 * (yy + 4716) / 100 + 306001 * (mm + 1) / 10000 + d + 38 - (yy + 4800) / 100 + (yy + 4800) / 400)::bigint
           * 86400000 - 131716800000
           + h::bigint * 3600000 + mi * 60000 + trunc(s * 1000 + 0.5)::bigint
    FROM (SELECT CASE WHEN mo <= 2 THEN y - 1 ELSE y END AS yy, CASE WHEN mo <= 2 THEN mo + 12 ELSE mo END AS mm) AS shifted
$$;

-- How many days a date that no month has lies behind the last one that it has: 2 for 30 February.
CREATE OR REPLACE FUNCTION sqlite.overhang(y integer, mo integer, d integer)
RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN d <= 28 OR mo IN (1, 3, 5, 7, 8, 10, 12) THEN 0
                WHEN mo <> 2 THEN CASE WHEN d = 31 THEN 1 ELSE 0 END
                WHEN y % 4 <> 0 OR (y % 100 = 0 AND y % 400 <> 0) THEN d - 28
                ELSE greatest(d - 29, 0) END
$$;

-- Whether these digits are a time of day; 24 is midnight only.
CREATE OR REPLACE FUNCTION sqlite.is_clock(h text, mi text, s text, fraction text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT h IS NOT NULL AND mi::integer <= 59 AND coalesce(s, '0')::integer <= 59
           AND (h::integer < 24 OR (h = '24' AND mi = '00' AND (coalesce(s, '00') || coalesce(fraction, '')) ~ '^[0.]+$'))
$$;

-- A time value (a text, or a number) with its modifiers; all NULL where SQLite's answer is NULL.
CREATE OR REPLACE FUNCTION sqlite.instant(
    value text, number double precision, modifiers text[],
    OUT jd bigint, OUT y integer, OUT mo integer, OUT d integer, OUT h integer, OUT mi integer, OUT s double precision,
    OUT subsec boolean
) LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_variable
DECLARE
    part text[];
    raw double precision;  -- a number of which nobody knows yet whether it counts days or seconds
    has_date boolean := false;  -- y, mo, d hold, and may be a date that no month has
    has_time boolean := false;
    zone integer := 0;  -- minutes
    overhang integer := 0;
    modifier text;
    place integer := 0;
    amount double precision;
    unit text;
    whole integer;
    clock bigint;
BEGIN
    subsec := false;
    IF (value IS NULL AND number IS NULL) OR array_position(modifiers, NULL) IS NOT NULL THEN
        RETURN;
    END IF;
    IF number IS NOT NULL THEN
        raw := number;
    ELSE
        part := regexp_match(value, '^(-?)([0-9]{4})-([0-9]{2})-([0-9]{2})[ \t\n\v\f\rT]*(.*)$');
        IF part IS NOT NULL THEN
            y := (part[1] || part[2])::integer;
            mo := part[3];
            d := part[4];
            IF mo NOT BETWEEN 1 AND 12 OR d NOT BETWEEN 1 AND 31 THEN
                y := NULL; mo := NULL; d := NULL;
                RETURN;
            END IF;
            has_date := true;
            overhang := sqlite.overhang(y, mo, d);
            value := part[5];
        END IF;
        IF value <> '' OR NOT has_date THEN
            part := regexp_match(value, '^([0-9]{2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]+)?)?[ \t\n\v\f\r]*(?:([zZ])|([-+])([0-9]{2}):([0-9]{2}))?[ \t\n\v\f\r]*$');
            IF sqlite.is_clock(part[1], part[2], part[3], part[4]) AND coalesce(part[7], '0')::integer <= 14 AND coalesce(part[8], '0')::integer <= 59 THEN
                h := part[1];
                mi := part[2];
                s := coalesce(part[3], '0')::double precision + least(('0' || coalesce(part[4], ''))::double precision, 0.999);
                zone := coalesce((part[6] || '1')::integer * (part[7]::integer * 60 + part[8]::integer), 0);
                has_time := true;
            ELSIF has_date THEN
                y := NULL; mo := NULL; d := NULL;
                RETURN;
            ELSIF lower(value) IN ('now', 'subsec', 'subsecond') THEN
                subsec := lower(value) <> 'now';
                jd := floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint + 210866760000000;
            ELSIF value ~ '^[ \t\n\v\f\r]*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?[ \t\n\v\f\r]*$' THEN
                raw := btrim(value, E' \t\n\v\f\r')::double precision;
            ELSE
                RETURN;
            END IF;
        END IF;
    END IF;
    IF raw >= 0 AND raw < 5373484.5 THEN
        jd := trunc(raw * 86400000.0 + 0.5)::bigint;
    END IF;
    -- Without a date the zone waits until somebody asks for an instant; "weekday" and "start of" forget it.
    IF h = 24 OR (zone <> 0 AND has_date) THEN
        jd := sqlite.milliseconds(coalesce(y, 2000), coalesce(mo, 1), coalesce(d, 1), h, mi, s) - zone * 60000;
        has_date := false;
        has_time := false;
        zone := 0;
    END IF;

    FOREACH modifier IN ARRAY modifiers LOOP
        place := place + 1;
        modifier := lower(modifier);
        -- What is only known as a date or a time so far, in milliseconds.
        IF jd IS NULL AND raw IS NULL AND has_date AND y < -4713 THEN
            raw := 'NaN'; EXIT;
        ELSIF jd IS NULL AND raw IS NULL THEN
            clock := sqlite.milliseconds(
                CASE WHEN has_date THEN y ELSE 2000 END, CASE WHEN has_date THEN mo ELSE 1 END,
                CASE WHEN has_date THEN d ELSE 1 END, CASE WHEN has_time THEN h ELSE 0 END,
                CASE WHEN has_time THEN mi ELSE 0 END, CASE WHEN has_time THEN s ELSE 0 END) - zone * 60000;
        ELSE
            clock := jd;
        END IF;

        IF modifier = 'auto' THEN
            IF place > 1 THEN
                jd := NULL; raw := 'NaN'; EXIT;
            ELSIF raw IS NOT NULL AND jd IS NULL THEN
                IF raw BETWEEN -210866760000 AND 253402300799 THEN
                    jd := trunc(raw * 1000.0 + 210866760000000.0 + 0.5)::bigint;
                ELSE
                    raw := 'NaN'; EXIT;
                END IF;
            END IF;
            raw := NULL;
        ELSIF modifier = 'julianday' THEN
            IF place > 1 OR raw IS NULL OR jd IS NULL THEN
                jd := NULL; raw := 'NaN'; EXIT;
            END IF;
            raw := NULL;
        ELSIF modifier = 'unixepoch' THEN
            IF place > 1 OR raw IS NULL OR NOT (raw * 1000.0 + 210866760000000.0 BETWEEN 0 AND 464269060799999.5) THEN
                jd := NULL; raw := 'NaN'; EXIT;
            END IF;
            jd := trunc(raw * 1000.0 + 210866760000000.0 + 0.5)::bigint;
            raw := NULL;
        ELSIF modifier IN ('subsec', 'subsecond') THEN
            subsec := true;
        ELSIF modifier IN ('localtime', 'utc') THEN
            RAISE EXCEPTION 'the modifier % depends on the time zone of a computer', modifier USING ERRCODE = '0A000';
        ELSE
            -- All others need an instant.
            IF clock IS NULL THEN
                jd := NULL; raw := 'NaN'; EXIT;
            END IF;
            raw := NULL;
            IF modifier = 'ceiling' THEN
                jd := clock; has_date := false; has_time := false; overhang := 0;
            ELSIF modifier = 'floor' THEN
                jd := clock - overhang * 86400000::bigint; has_date := false; has_time := false;
            ELSE
                IF modifier ~ '(^weekday|^start of|month|year)' AND NOT has_date AND clock NOT BETWEEN 0 AND 464269060799999 THEN
                    jd := NULL; raw := 'NaN'; EXIT;
                END IF;
                part := regexp_match(modifier, '^weekday ([0-9]+(?:\.0*)?)$');
                IF part IS NOT NULL THEN
                    amount := part[1];
                    IF amount >= 7 THEN
                        jd := NULL; raw := 'NaN'; EXIT;
                    END IF;
                    clock := clock + CASE WHEN jd IS NULL THEN zone ELSE 0 END * 60000;
                    whole := (clock + 129600000) / 86400000 % 7;
                    jd := clock + (amount::integer - CASE WHEN whole > amount THEN whole - 7 ELSE whole END) * 86400000::bigint;
                    has_date := false; has_time := false;
                    CONTINUE;
                END IF;
                IF modifier LIKE 'start of %' THEN
                    IF NOT has_date THEN
                        SELECT * INTO y, mo, d
                        FROM sqlite.date_of(clock + CASE WHEN jd IS NULL THEN zone ELSE 0 END * 60000);
                    END IF;
                    unit := substr(modifier, 10);
                    IF unit NOT IN ('day', 'month', 'year') THEN
                        jd := NULL; raw := 'NaN'; EXIT;
                    END IF;
                    d := CASE WHEN unit = 'day' THEN d ELSE 1 END;
                    mo := CASE WHEN unit = 'year' THEN 1 ELSE mo END;
                    has_date := true; has_time := true;
                    h := 0; mi := 0; s := 0;
                    zone := 0;
                    jd := NULL;
                    CONTINUE;
                END IF;
                part := regexp_match(modifier, '^([-+]?)([0-9]{2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]+)?)?$');
                IF part IS NOT NULL THEN
                    IF NOT sqlite.is_clock(part[2], part[3], part[4], part[5]) THEN
                        jd := NULL; raw := 'NaN'; EXIT;
                    END IF;
                    jd := clock + CASE WHEN part[1] = '-' THEN -1 ELSE 1 END * (
                        (part[2]::bigint * 3600000 + part[3]::bigint * 60000 + trunc((coalesce(part[4], '0')::double precision
                        + least(('0' || coalesce(part[5], ''))::double precision, 0.999)) * 1000 + 0.5)::bigint) % 86400000);
                    has_date := false; has_time := false;
                    CONTINUE;
                END IF;
                IF modifier ~ '^[-+][0-9]{4,5}-' THEN
                    RAISE EXCEPTION 'the modifier % is not supported', modifier USING ERRCODE = '0A000';
                END IF;
                part := regexp_match(modifier, '^((?:[-+]\.[0-9]+|[-+]?[0-9]+\.?[0-9]*)(?:e[-+]?[0-9]+)?)[ \t\n\v\f\r]+(second|minute|hour|day|month|year)s?$');
                IF part IS NULL THEN
                    jd := NULL; raw := 'NaN'; EXIT;
                END IF;
                amount := part[1];
                unit := part[2];
                IF abs(amount) >= (CASE unit WHEN 'second' THEN 4.6427e+14 WHEN 'minute' THEN 7.7379e+12
                                   WHEN 'hour' THEN 1.2897e+11 WHEN 'day' THEN 5373485 WHEN 'month' THEN 176546
                                   ELSE 14713 END) THEN
                    jd := NULL; raw := 'NaN'; EXIT;
                END IF;
                overhang := 0;
                IF unit IN ('month', 'year') THEN
                    IF zone <> 0 THEN
                        has_date := false; has_time := false;
                    END IF;
                    IF NOT has_date THEN
                        SELECT * INTO y, mo, d FROM sqlite.date_of(clock);
                    END IF;
                    IF NOT has_time THEN
                        SELECT * INTO h, mi, s FROM sqlite.time_of(clock);
                    END IF;
                    whole := trunc(amount);
                    IF unit = 'month' THEN
                        mo := mo + whole;
                        y := y + CASE WHEN mo > 0 THEN (mo - 1) / 12 ELSE (mo - 12) / 12 END;
                        mo := mo - CASE WHEN mo > 0 THEN (mo - 1) / 12 ELSE (mo - 12) / 12 END * 12;
                    ELSE
                        y := y + whole;
                    END IF;
                    IF y < -4713 OR y > 9999 THEN
                        jd := NULL; raw := 'NaN'; EXIT;
                    END IF;
                    overhang := sqlite.overhang(y, mo, d);
                    clock := sqlite.milliseconds(y, mo, d, h, mi, s);
                    amount := amount - whole;
                END IF;
                jd := clock + trunc(amount * 1000.0
                    * CASE unit WHEN 'second' THEN 1.0 WHEN 'minute' THEN 60.0 WHEN 'hour' THEN 3600.0 WHEN 'day' THEN 86400.0
                      WHEN 'month' THEN 2592000.0 ELSE 31536000.0 END + CASE WHEN amount < 0 THEN -0.5 ELSE 0.5 END)::bigint;
                has_date := false; has_time := false;
            END IF;
        END IF;
    END LOOP;

    IF raw IS NOT NULL AND (jd IS NULL OR raw = 'NaN') THEN
        jd := NULL; y := NULL; mo := NULL; d := NULL; h := NULL; mi := NULL; s := NULL;
        RETURN;
    END IF;
    IF jd IS NULL THEN
        IF NOT has_date THEN
            y := 2000; mo := 1; d := 1;
        END IF;
        IF NOT has_time THEN
            h := 0; mi := 0; s := 0;
        END IF;
        IF y < -4713 OR y > 9999 THEN
            y := NULL; mo := NULL; d := NULL; h := NULL; mi := NULL; s := NULL;
            RETURN;
        END IF;
        jd := sqlite.milliseconds(y, mo, d, h, mi, s) - zone * 60000;
        IF zone <> 0 THEN
            has_date := false; has_time := false;
        END IF;
    END IF;
    IF jd NOT BETWEEN 0 AND 464269060799999 THEN
        jd := NULL; y := NULL; mo := NULL; d := NULL; h := NULL; mi := NULL; s := NULL;
        RETURN;
    END IF;
    IF NOT has_date OR (place = 0 AND d > 28) THEN
        SELECT * INTO y, mo, d FROM sqlite.date_of(jd);
    END IF;
    IF NOT has_time THEN
        SELECT * INTO h, mi, s FROM sqlite.time_of(jd);
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION sqlite.date_of(jd bigint, OUT y integer, OUT mo integer, OUT d integer)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    -- PostgreSQL has no year 0: what it calls -1 is the one before 1.
    SELECT extract(year FROM day)::integer + CASE WHEN extract(year FROM day) < 0 THEN 1 ELSE 0 END,
           extract(month FROM day)::integer, extract(day FROM day)::integer
    FROM (SELECT DATE '2000-01-01' + ((jd + 43200000) / 86400000 - 2451545)::integer AS day) AS found
$$;

CREATE OR REPLACE FUNCTION sqlite.time_of(jd bigint, OUT h integer, OUT mi integer, OUT s double precision)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (ms / 3600000)::integer, (ms / 60000 % 60)::integer, (ms % 60000) / 1000.0::double precision
    FROM (SELECT (jd + 43200000) % 86400000 AS ms) AS found
$$;

-- As C's %0Nd: the sign is a part of the width.
CREATE OR REPLACE FUNCTION sqlite.padded(number bigint, width integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN number < 0 THEN '-' || lpad(abs(number)::text, greatest(width - 1, length(abs(number)::text)), '0')
                ELSE lpad(number::text, greatest(width, length(number::text)), '0') END
$$;

CREATE OR REPLACE FUNCTION sqlite.seconds(s double precision) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT lpad(to_char(round(least(s, 59.999)::numeric, 3), 'FM00.000'), 6, '0')
$$;

CREATE OR REPLACE FUNCTION sqlite.strftime_of(format text, value text, number double precision, modifiers text[]) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
#variable_conflict use_variable
DECLARE
    at record;
    result text := '';
    place integer := 1;
    letter text;
    day integer;  -- of the year, from 0
    weekday integer;  -- from Monday, 0
    today date;
    iso_year integer;
BEGIN
    IF format IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT * INTO at FROM sqlite.instant(value, number, modifiers);
    IF at.jd IS NULL THEN
        RETURN NULL;
    END IF;
    today := DATE '2000-01-01' + ((sqlite.milliseconds(at.y, at.mo, at.d, 12, 0, 0)) / 86400000 - 2451545)::integer;
    day := ((sqlite.milliseconds(at.y, at.mo, at.d, 12, 0, 0) - sqlite.milliseconds(at.y, 1, 1, 12, 0, 0)) / 86400000)::integer;
    weekday := ((at.jd + 43200000) / 86400000 % 7)::integer;
    iso_year := extract(isoyear FROM today);
    iso_year := iso_year + CASE WHEN iso_year < 0 THEN 1 ELSE 0 END;
    WHILE place <= length(format) LOOP
        letter := substr(format, place, 1);
        IF letter <> '%' THEN
            result := result || letter;
            place := place + 1;
            CONTINUE;
        END IF;
        letter := substr(format, place + 1, 1);
        place := place + 2;
        result := result || CASE letter COLLATE "C"
            WHEN '%' THEN '%'
            WHEN 'd' THEN sqlite.padded(at.d, 2)
            WHEN 'e' THEN lpad(at.d::text, 2)
            WHEN 'f' THEN sqlite.seconds(at.s)
            WHEN 'F' THEN sqlite.padded(at.y, 4) || '-' || sqlite.padded(at.mo, 2) || '-' || sqlite.padded(at.d, 2)
            WHEN 'H' THEN sqlite.padded(at.h, 2)
            WHEN 'I' THEN sqlite.padded(CASE WHEN at.h % 12 = 0 THEN 12 ELSE at.h % 12 END, 2)
            WHEN 'j' THEN sqlite.padded(day + 1, 3)
            WHEN 'k' THEN lpad(at.h::text, 2)
            WHEN 'l' THEN lpad((CASE WHEN at.h % 12 = 0 THEN 12 ELSE at.h % 12 END)::text, 2)
            WHEN 'm' THEN sqlite.padded(at.mo, 2)
            WHEN 'M' THEN sqlite.padded(at.mi, 2)
            WHEN 'p' THEN CASE WHEN at.h >= 12 THEN 'PM' ELSE 'AM' END
            WHEN 'P' THEN CASE WHEN at.h >= 12 THEN 'pm' ELSE 'am' END
            WHEN 'R' THEN sqlite.padded(at.h, 2) || ':' || sqlite.padded(at.mi, 2)
            WHEN 's' THEN CASE WHEN at.subsec THEN to_char((at.jd - 210866760000000) / 1000.0, 'FM999999999999990.000')
                               ELSE (at.jd / 1000 - 210866760000)::text END
            WHEN 'S' THEN sqlite.padded(trunc(at.s)::bigint, 2)
            WHEN 'T' THEN sqlite.padded(at.h, 2) || ':' || sqlite.padded(at.mi, 2) || ':' || sqlite.padded(trunc(at.s)::bigint, 2)
            WHEN 'u' THEN (weekday + 1)::text
            WHEN 'w' THEN ((weekday + 1) % 7)::text
            WHEN 'W' THEN sqlite.padded((day + 7 - weekday) / 7, 2)
            WHEN 'U' THEN sqlite.padded((day + 7 - (weekday + 1) % 7) / 7, 2)
            WHEN 'V' THEN sqlite.padded(extract(week FROM today)::integer, 2)
            WHEN 'G' THEN sqlite.padded(iso_year, 4)
            WHEN 'g' THEN sqlite.padded(iso_year % 100, 2)
            WHEN 'Y' THEN sqlite.padded(at.y, 4)
        END;
        IF result IS NULL THEN
            IF letter = 'J' THEN
                RAISE EXCEPTION 'strftime with %%J is not supported' USING ERRCODE = '0A000';
            END IF;
            RETURN NULL;
        END IF;
    END LOOP;
    RETURN result;
END
$$;

CREATE OR REPLACE FUNCTION sqlite.strftime(format text, value text, VARIADIC modifiers text[] DEFAULT '{}') RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT sqlite.strftime_of(format, value, NULL, modifiers) $$;
CREATE OR REPLACE FUNCTION sqlite.strftime(format text, value double precision, VARIADIC modifiers text[] DEFAULT '{}') RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT sqlite.strftime_of(format, NULL, value, modifiers) $$;

CREATE OR REPLACE FUNCTION sqlite.date_format(value text, number double precision, modifiers text[]) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN jd IS NOT NULL THEN CASE WHEN y < 0 THEN '-' ELSE '' END || sqlite.padded(abs(y), 4) || '-'
           || sqlite.padded(mo, 2) || '-' || sqlite.padded(d, 2) END
    FROM sqlite.instant(value, number, modifiers)
$$;
CREATE OR REPLACE FUNCTION sqlite.date(value text, VARIADIC modifiers text[] DEFAULT '{}') RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT sqlite.date_format(value, NULL, modifiers) $$;
CREATE OR REPLACE FUNCTION sqlite.date(value double precision, VARIADIC modifiers text[] DEFAULT '{}') RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT sqlite.date_format(NULL, value, modifiers) $$;

CREATE OR REPLACE FUNCTION sqlite.time_format(value text, number double precision, modifiers text[]) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN jd IS NOT NULL THEN sqlite.padded(h, 2) || ':' || sqlite.padded(mi, 2) || ':'
           || CASE WHEN subsec THEN sqlite.seconds(s) ELSE sqlite.padded(trunc(s)::bigint, 2) END END
    FROM sqlite.instant(value, number, modifiers)
$$;
CREATE OR REPLACE FUNCTION sqlite.time(value text, VARIADIC modifiers text[] DEFAULT '{}') RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT sqlite.time_format(value, NULL, modifiers) $$;
CREATE OR REPLACE FUNCTION sqlite.time(value double precision, VARIADIC modifiers text[] DEFAULT '{}') RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT sqlite.time_format(NULL, value, modifiers) $$;

CREATE OR REPLACE FUNCTION sqlite.datetime(value text, VARIADIC modifiers text[] DEFAULT '{}') RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sqlite.date_format(value, NULL, modifiers) || ' ' || sqlite.time_format(value, NULL, modifiers)
$$;
CREATE OR REPLACE FUNCTION sqlite.datetime(value double precision, VARIADIC modifiers text[] DEFAULT '{}') RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sqlite.date_format(NULL, value, modifiers) || ' ' || sqlite.time_format(NULL, value, modifiers)
$$;

CREATE OR REPLACE FUNCTION sqlite.julianday(value text, VARIADIC modifiers text[] DEFAULT '{}') RETURNS double precision
LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT jd / 86400000.0::double precision FROM sqlite.instant(value, NULL, modifiers) $$;
CREATE OR REPLACE FUNCTION sqlite.julianday(value double precision, VARIADIC modifiers text[] DEFAULT '{}') RETURNS double precision
LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT jd / 86400000.0::double precision FROM sqlite.instant(NULL, value, modifiers) $$;

-- Without subsec, which makes it a REAL in SQLite.
CREATE OR REPLACE FUNCTION sqlite.unixepoch(value text, VARIADIC modifiers text[] DEFAULT '{}') RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT jd / 1000 - 210866760000 FROM sqlite.instant(value, NULL, modifiers) $$;
CREATE OR REPLACE FUNCTION sqlite.unixepoch(value double precision, VARIADIC modifiers text[] DEFAULT '{}') RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT jd / 1000 - 210866760000 FROM sqlite.instant(NULL, value, modifiers) $$;

-- From the second time to the first one, by the calendar: as many years and months as fit, and what is left of them.
CREATE OR REPLACE FUNCTION sqlite.time_between(
    value text, number double precision, other_value text, other_number double precision
) RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    one record;
    other record;
    step integer;  -- of the other one's month, towards the first
    sign text;
    y integer;
    mo integer;
    jd bigint;
    rest record;
BEGIN
    SELECT * INTO one FROM sqlite.instant(value, number, '{}');
    SELECT * INTO other FROM sqlite.instant(other_value, other_number, '{}');
    IF one.jd IS NULL OR other.jd IS NULL THEN
        RETURN NULL;
    END IF;
    step := CASE WHEN one.jd >= other.jd THEN -1 ELSE 1 END;
    sign := CASE WHEN step < 0 THEN '+' ELSE '-' END;
    y := -step * (one.y - other.y);
    mo := -step * (one.mo - other.mo);
    IF mo < 0 THEN
        y := y - 1;
        mo := mo + 12;
    END IF;
    jd := CASE WHEN one.y = other.y AND one.mo = other.mo THEN other.jd
               ELSE sqlite.milliseconds(one.y, one.mo, other.d, other.h, other.mi, other.s) END;
    other.y := one.y;
    other.mo := one.mo;
    WHILE (one.jd - jd) * step > 0 LOOP
        mo := mo - 1;
        IF mo < 0 THEN
            mo := 11;
            y := y - 1;
        END IF;
        other.mo := other.mo + step;
        IF other.mo NOT BETWEEN 1 AND 12 THEN
            other.y := other.y + step;
            other.mo := other.mo - 12 * step;
        END IF;
        jd := sqlite.milliseconds(other.y, other.mo, other.d, other.h, other.mi, other.s);
    END LOOP;
    -- As a day and a time of the year 0, which has nothing before it.
    jd := abs(one.jd - jd) + 148699540800000;
    SELECT * INTO rest FROM sqlite.date_of(jd), sqlite.time_of(jd);
    RETURN sign || sqlite.padded(y, 4) || '-' || sqlite.padded(mo, 2) || '-' || sqlite.padded(rest.d - 1, 2) || ' '
           || sqlite.padded(rest.h, 2) || ':' || sqlite.padded(rest.mi, 2) || ':' || sqlite.seconds(rest.s);
END
$$;
CREATE OR REPLACE FUNCTION sqlite.timediff(value text, other text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT sqlite.time_between(value, NULL, other, NULL) $$;
CREATE OR REPLACE FUNCTION sqlite.timediff(value text, other double precision) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT sqlite.time_between(value, NULL, NULL, other) $$;
CREATE OR REPLACE FUNCTION sqlite.timediff(value double precision, other text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT sqlite.time_between(NULL, value, other, NULL) $$;
CREATE OR REPLACE FUNCTION sqlite.timediff(value double precision, other double precision) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT sqlite.time_between(NULL, value, NULL, other) $$;

-- ---------------------------------------------------------------------------------------------------------------------
-- Numbers and casts: https://www.sqlite.org/lang_expr.html#castexpr
-- ---------------------------------------------------------------------------------------------------------------------

-- The number at the beginning of a text, as SQLite reads it: '12abc' is 12, and '' is 0.
CREATE OR REPLACE FUNCTION sqlite.to_real(value text) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    number text := (regexp_match(value, '^[ \t\n\v\f\r]*([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)'))[1];
BEGIN
    RETURN coalesce(number, '0')::double precision;
EXCEPTION WHEN numeric_value_out_of_range THEN  -- too large for a double, or too small
    RETURN CASE WHEN number::numeric > 1 THEN 'Infinity' WHEN number::numeric < -1 THEN '-Infinity' ELSE '0' END;
END
$$;

-- The digits at the beginning of a text, stopped at the ends of 64 bits.
CREATE OR REPLACE FUNCTION sqlite.to_integer(value text) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT least(greatest(coalesce(
        (regexp_match(value, '^[ \t\n\v\f\r]*([-+]?[0-9]+)'))[1]::numeric, 0),
        -9223372036854775808), 9223372036854775807)::bigint
$$;

-- Toward zero, stopped at the ends of 64 bits.
CREATE OR REPLACE FUNCTION sqlite.to_integer(value double precision) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN value >= 9223372036854775807.0 THEN 9223372036854775807
                WHEN value <= -9223372036854775808.0 THEN -9223372036854775808
                ELSE trunc(value)::bigint END
$$;

-- All digits of a double: PostgreSQL's own cast keeps 15 of them.
CREATE OR REPLACE FUNCTION sqlite.exactly(value double precision) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    -- A double is a whole number of 53 bits times a power of two; a negative power of two is one of five and of ten.
    SELECT CASE WHEN sign < 0 THEN -1 ELSE 1 END * CASE
        WHEN power >= 0 THEN whole * 2::numeric ^ power
        ELSE whole * 5::numeric ^ (-power) * ('1e' || power)::numeric END
    FROM (
        SELECT bits AS sign,
               CASE WHEN bits >> 52 & 2047 = 0 THEN 0 ELSE 4503599627370496 END + (bits & 4503599627370495) AS whole,
               (greatest(bits >> 52 & 2047, 1) - 1075)::integer AS power
        FROM (SELECT ('x' || encode(float8send(value), 'hex'))::bit(64)::bigint AS bits) AS raw
    ) AS parts
$$;

-- Half away from zero at the digit of the double itself. SQLite looks at its first 18 digits or so, and not every version
-- at the same ones: 1 result in 50,000 of those that are nearly halfway differs.
CREATE OR REPLACE FUNCTION sqlite.round(value double precision, digits bigint DEFAULT 0) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE
        WHEN abs(value) > 4503599627370496 OR value = 0 THEN value
        WHEN digits <= 0 THEN trunc(value + CASE WHEN value < 0 THEN -0.5 ELSE 0.5 END)
        ELSE round(round(sqlite.exactly(value), 17 - floor(log(abs(sqlite.exactly(value))))::integer),
                   least(digits, 30)::integer)::double precision END
$$;

-- ---------------------------------------------------------------------------------------------------------------------
-- Texts and blobs: https://www.sqlite.org/lang_corefunc.html
-- ---------------------------------------------------------------------------------------------------------------------

-- What substr(X, start, count) takes of `total` places: from which one on, counted from 1, and how many.
CREATE OR REPLACE FUNCTION sqlite.span(total bigint, start bigint, count bigint, OUT first integer, OUT size integer)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    place numeric := start;
    taken numeric := coalesce(abs(count::numeric), 1e20);
BEGIN
    IF place < 0 THEN
        place := place + total;
        IF place < 0 THEN
            taken := greatest(taken + place, 0);
            place := 0;
        END IF;
    ELSIF place > 0 THEN
        place := place - 1;
    ELSIF taken > 0 THEN
        taken := taken - 1;
    END IF;
    IF count < 0 THEN
        place := place - taken;
        IF place < 0 THEN
            taken := greatest(taken + place, 0);
            place := 0;
        END IF;
    END IF;
    first := least(place, total) + 1;
    size := least(taken, greatest(total - place, 0));
END
$$;
CREATE OR REPLACE FUNCTION sqlite.substr(value text, start bigint, count bigint) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT pg_catalog.substr(value, first, size) FROM sqlite.span(length(value), start, count)
$$;
CREATE OR REPLACE FUNCTION sqlite.substr(value text, start bigint) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT pg_catalog.substr(value, first, size) FROM sqlite.span(length(value), start, NULL)
$$;
-- Of no bytes at all SQLite takes NULL.
CREATE OR REPLACE FUNCTION sqlite.substr(value bytea, start bigint, count bigint) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN value <> '' THEN pg_catalog.substr(value, first, size) END FROM sqlite.span(length(value), start, count)
$$;
CREATE OR REPLACE FUNCTION sqlite.substr(value bytea, start bigint) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN value <> '' THEN pg_catalog.substr(value, first, size) END FROM sqlite.span(length(value), start, NULL)
$$;

CREATE OR REPLACE FUNCTION sqlite.hex(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT coalesce(upper(encode(convert_to(value, 'UTF8'), 'hex')), '') $$;
CREATE OR REPLACE FUNCTION sqlite.hex(value bytea) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT coalesce(upper(encode(value, 'hex')), '') $$;

CREATE OR REPLACE FUNCTION sqlite.quote(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT coalesce('''' || replace(value, '''', '''''') || '''', 'NULL') $$;
CREATE OR REPLACE FUNCTION sqlite.quote(value bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT coalesce(value::text, 'NULL') $$;
CREATE OR REPLACE FUNCTION sqlite.quote(value bytea) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT coalesce('X''' || upper(encode(value, 'hex')) || '''', 'NULL') $$;

-- NULL for what are no pairs of digits.
CREATE OR REPLACE FUNCTION sqlite.unhex(value text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN value ~ '^(?:[0-9A-Fa-f]{2})*$' THEN decode(value, 'hex') END
$$;

-- At least one byte. Six bits of a UUID are no random ones; they are in the three bytes that are left out.
CREATE OR REPLACE FUNCTION sqlite.randomblob(length bigint) RETURNS bytea
LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT pg_catalog.substr(string_agg(pg_catalog.substr(raw, 1, 6) || pg_catalog.substr(raw, 10, 7), ''::bytea), 1, wanted)
    FROM (SELECT greatest(coalesce(length, 0), 1)::integer AS wanted) AS size,
         LATERAL (SELECT uuid_send(gen_random_uuid()) AS raw FROM generate_series(1, wanted / 13 + 1)) AS uuids
    GROUP BY wanted
$$;

-- The code point of the first character.
CREATE OR REPLACE FUNCTION sqlite.unicode(value text) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT nullif(ascii(value), 0)::bigint $$;

-- As printf's %.Nf: at most 16 digits of the number are looked at, and the sign stays where nothing else does.
CREATE OR REPLACE FUNCTION sqlite.fixed(value double precision, places integer) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE
        WHEN value = 'Infinity' THEN 'Inf'
        WHEN value = '-Infinity' THEN '-Inf'
        WHEN value = 0 THEN round(0, places)::text
        ELSE CASE WHEN value < 0 THEN '-' ELSE '' END
             || round(round(round(magnitude, 17 - power), least(places, 15 - power)), places)::text END
    FROM (SELECT magnitude, floor(log(nullif(magnitude, 0)))::integer AS power
          FROM (SELECT CASE WHEN abs(value) < 'Infinity' THEN sqlite.exactly(abs(value)) END AS magnitude) AS exact) AS sized
$$;

-- ---------------------------------------------------------------------------------------------------------------------
-- GLOB: https://www.sqlite.org/lang_expr.html#glob
-- ---------------------------------------------------------------------------------------------------------------------

-- The pattern as a regular expression; NULL for one that matches nothing because a class has no end or no character.
CREATE OR REPLACE FUNCTION sqlite.glob_expression(pattern text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    signs text[] := regexp_split_to_array(pattern, '');
    total integer := length(pattern);
    at integer := 1;
    inverted boolean;
    prior text;
    class text;
    result text := '^';
BEGIN
    WHILE at <= total LOOP
        IF signs[at] = '*' THEN
            result := result || '.*';
        ELSIF signs[at] = '?' THEN
            result := result || '.';
        ELSIF signs[at] <> '[' THEN
            result := result || regexp_replace(signs[at], '^[^A-Za-z0-9]$', '\\\&');
        ELSE
            at := at + 1;
            inverted := coalesce(signs[at] = '^', FALSE);
            at := at + inverted::integer;
            class := '';
            prior := NULL;
            IF signs[at] = ']' THEN
                class := '\]';
                at := at + 1;
            END IF;
            WHILE at <= total AND signs[at] <> ']' LOOP
                IF signs[at] = '-' AND prior IS NOT NULL AND at < total AND signs[at + 1] <> ']' THEN
                    at := at + 1;
                    -- A range that begins behind its end has no characters.
                    IF ascii(signs[at]) >= ascii(prior) THEN
                        class := class || format('\U%s-\U%s', lpad(to_hex(ascii(prior)), 8, '0'),
                                                 lpad(to_hex(ascii(signs[at])), 8, '0'));
                    END IF;
                    prior := NULL;
                ELSE
                    class := class || '\U' || lpad(to_hex(ascii(signs[at])), 8, '0');
                    prior := signs[at];
                END IF;
                at := at + 1;
            END LOOP;
            IF at > total THEN
                RETURN NULL;
            END IF;
            IF class = '' AND NOT inverted THEN
                RETURN NULL;
            END IF;
            result := result || CASE WHEN class = '' THEN '.' WHEN inverted THEN '[^' || class || ']' ELSE '[' || class || ']' END;
        END IF;
        at := at + 1;
    END LOOP;
    RETURN result || '$';
END
$$;
CREATE OR REPLACE FUNCTION sqlite.glob(pattern text, value text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(value COLLATE "C" ~ sqlite.glob_expression(pattern), FALSE)
$$;
