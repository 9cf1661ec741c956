-- What a table or view is, as rows of text in a fixed order: a change of any of it changes a row.
WITH place AS (SELECT %(relation)s::regclass AS relation)
SELECT 'relation' AS what, concat_ws('|', c.oid, c.relkind, c.relowner::regrole, c.relacl, c.relrowsecurity,
                                     c.relforcerowsecurity, c.reloptions, c.relreplident, c.relpersistence,
                                     CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END) AS text
FROM pg_class c JOIN place ON c.oid = relation
UNION ALL
SELECT 'column', concat_ws('|', a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
                           a.attgenerated, a.attcollation, a.attacl, a.attoptions, pg_get_expr(d.adbin, d.adrelid))
FROM pg_attribute a JOIN place ON a.attrelid = relation LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
WHERE a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'constraint', concat_ws('|', c.conname, c.convalidated, pg_get_constraintdef(c.oid))
FROM pg_constraint c JOIN place ON relation IN (c.conrelid, c.confrelid)
UNION ALL
SELECT 'index', concat_ws('|', i.indexrelid, pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisclustered)
FROM pg_index i JOIN place ON i.indrelid = relation
UNION ALL
SELECT 'trigger', concat_ws('|', t.tgenabled, pg_get_triggerdef(t.oid))
FROM pg_trigger t JOIN place ON t.tgrelid = relation WHERE NOT t.tgisinternal
UNION ALL
SELECT 'rule', concat_ws('|', r.ev_enabled, pg_get_ruledef(r.oid)) FROM pg_rewrite r JOIN place ON r.ev_class = relation
UNION ALL
SELECT 'policy', concat_ws('|', p.polname, p.polcmd, p.polpermissive, p.polroles::text, pg_get_expr(p.polqual, p.polrelid),
                           pg_get_expr(p.polwithcheck, p.polrelid))
FROM pg_policy p JOIN place ON p.polrelid = relation
UNION ALL
SELECT 'comment', concat_ws('|', d.objsubid, d.description)
FROM pg_description d JOIN place ON d.classoid = 'pg_class'::regclass AND d.objoid = relation
UNION ALL
SELECT 'inheritance', concat_ws('|', h.inhrelid, h.inhparent)
FROM pg_inherits h JOIN place ON relation IN (h.inhrelid, h.inhparent)
UNION ALL
SELECT 'publication', p.prpubid::text FROM pg_publication_rel p JOIN place ON p.prrelid = relation
UNION ALL
SELECT 'sequence', s.seqrelid::regclass::text  -- its position stands in itself
FROM pg_sequence s JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.deptype IN ('a', 'i')
    JOIN place ON d.refclassid = 'pg_class'::regclass AND d.refobjid = relation
ORDER BY what, text
