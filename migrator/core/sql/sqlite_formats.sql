-- ---------------------------------------------------------------------------------------------------------------------
-- printf(): https://www.sqlite.org/printf.html
-- ---------------------------------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION sqlite.aligned(value text, size integer, flags text, width integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN strpos(flags, '-') > 0 THEN value || repeat(' ', width - size) ELSE repeat(' ', width - size) || value END
$$;

CREATE OR REPLACE FUNCTION sqlite.octal(number bigint) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    -- The first digit of 64 bits has only one of them.
    SELECT coalesce(nullif(ltrim(string_agg((number >> 3 * place & CASE WHEN place = 21 THEN 1 ELSE 7 END)::text, ''
                                            ORDER BY place DESC), '0'), ''), '0')
    FROM generate_series(0, 21) AS place
$$;

-- %d, %u, %x, %X and %o; zeros belong to the number, so that commas stand among them.
CREATE OR REPLACE FUNCTION sqlite.formatted(number bigint, flags text, width integer, places integer, kind text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    prefix text := CASE WHEN kind <> 'd' THEN '' WHEN number < 0 THEN '-' ELSE coalesce(substring(flags, '[+ ]'), '') END;
    digits text := CASE kind COLLATE "C"
        WHEN 'd' THEN abs(number::numeric)::text
        WHEN 'u' THEN (number::numeric + CASE WHEN number < 0 THEN 18446744073709551616 ELSE 0 END)::text
        WHEN 'x' THEN to_hex(number)
        WHEN 'X' THEN upper(to_hex(number))
        ELSE sqlite.octal(number) END;
BEGIN
    places := greatest(places, length(digits), CASE WHEN strpos(flags, '0') > 0 THEN width - length(prefix) END);
    digits := lpad(digits, places, '0');
    IF strpos(flags, ',') > 0 THEN
        digits := regexp_replace(digits, '([0-9])(?=([0-9]{3})+$)', '\1,', 'g');
    END IF;
    RETURN sqlite.aligned(prefix || digits, length(prefix || digits), flags, width);
END
$$;

-- %s: with ! characters are counted, otherwise bytes. Half a character is an error. %c: the first character.
CREATE OR REPLACE FUNCTION sqlite.formatted(value text, flags text, width integer, places integer, kind text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    by_character boolean := strpos(flags, '!') > 0 OR kind = 'c';
BEGIN
    IF kind = 'c' AND coalesce(value, '') = '' THEN
        RAISE data_exception USING MESSAGE = 'printf() with %c of no character is NUL in SQLite';
    END IF;
    value := coalesce(CASE WHEN kind = 'c' THEN left(value, 1)
                           WHEN places IS NULL THEN value
                           WHEN by_character THEN left(value, places)
                           ELSE convert_from(substring(convert_to(value, 'UTF8'), 1, places), 'UTF8') END, '');
    RETURN sqlite.aligned(value, CASE WHEN by_character THEN length(value) ELSE octet_length(value) END, flags, width);
END
$$;

-- The digits of a positive number, one of them before the point, as %e has them. What lies halfway SQLite rounds up or down,
-- as its own arithmetic comes out: it is refused.
CREATE OR REPLACE FUNCTION sqlite.mantissa(value double precision, places integer, OUT digits numeric, OUT power integer)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    magnitude numeric := sqlite.exactly(value);
BEGIN
    digits := 0;
    power := 0;
    IF value <> 0 THEN
        power := floor(log(magnitude));
        digits := magnitude * ('1e' || -power)::numeric;
        IF abs(abs(digits - round(digits, places)) - 0.5 * ('1e' || -places)::numeric) < 1e-15 THEN
            RAISE data_exception USING MESSAGE = format('%s lies halfway between what printf() could make of it', value);
        END IF;
        digits := round(digits, places);
        IF digits >= 10 THEN
            power := power + 1;
            digits := digits / 10;
        END IF;
    END IF;
    digits := round(digits, places);
END
$$;

-- %f, %e, %E, %g and %G. An infinity that zeros stand before is another number in SQLite.
CREATE OR REPLACE FUNCTION sqlite.formatted(
    value double precision, flags text, width integer, places integer, kind text
) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    prefix text := CASE WHEN value < 0 THEN '-' ELSE coalesce(substring(flags, '[+ ]'), '') END;
    result text;
    found record;
BEGIN
    IF abs(value) = 'Infinity' THEN
        result := 'Inf';
    ELSIF kind = 'f' THEN
        result := sqlite.fixed(abs(value), places);
    ELSE
        places := CASE WHEN lower(kind) = 'g' THEN greatest(places, 1) - 1 ELSE places END;
        found := sqlite.mantissa(abs(value), places);
        IF lower(kind) = 'g' AND found.power BETWEEN -4 AND places THEN
            result := trim_scale(found.digits * ('1e' || found.power)::numeric)::text;
        ELSE
            result := CASE WHEN lower(kind) = 'g' THEN trim_scale(found.digits) ELSE found.digits END::text
                      || 'e' || CASE WHEN found.power < 0 THEN '-' ELSE '+' END || lpad(abs(found.power)::text, greatest(2, length(abs(found.power)::text)), '0');
        END IF;
        result := CASE WHEN kind IN ('E', 'G') THEN upper(result) ELSE result END;
    END IF;
    IF strpos(flags, '0') > 0 AND result = 'Inf' THEN
        RAISE data_exception USING MESSAGE = 'printf() with zeros before an infinity';
    ELSIF strpos(flags, '0') > 0 AND strpos(flags, '-') = 0 THEN
        result := lpad(result, greatest(width - length(prefix), length(result)), '0');
    END IF;
    RETURN sqlite.aligned(prefix || result, length(prefix || result), flags, width);
END
$$;
