-- Profiles of several sources that were matched to one contact, and cannot be one person: their
-- LinkedIn pages differ. The weaker match is set aside; where none is weaker, both are.

CREATE OR REPLACE TEMP TABLE disputed AS
WITH several AS (
    SELECT contact_id FROM match_row WHERE band <> 'ignored'
    GROUP BY contact_id HAVING count(DISTINCT source) > 1
),
paged AS (
    SELECT m.contact_id, m.source, m.profile_id, m.band, m.strength, m.confidence,
        list_filter(list_transform(p.linkedin_urls, lambda u: linkedin_slug(u)),
            lambda s: s IS NOT NULL AND NOT is_opaque_slug(s)) AS slugs
    FROM match_row m SEMI JOIN several USING (contact_id)
    JOIN profile p USING (source, profile_id)
    WHERE m.band <> 'ignored'
)
SELECT w.contact_id, w.source, w.profile_id, min(b.source) AS by_source
FROM paged w
JOIN paged b ON b.contact_id = w.contact_id AND b.source <> w.source
    AND len(b.slugs) > 0 AND len(w.slugs) > 0 AND NOT list_has_any(b.slugs, w.slugs)
    AND (b.band, -b.strength) <= (w.band, -w.strength)
GROUP BY ALL;

UPDATE match_row m SET
    band = 'ignored',
    set_aside = 'disputed',
    evidence = list_append(m.evidence, said('set_aside',
        'Its LinkedIn page is not that of the profile which ' || d.by_source || ' has for this contact',
        m.source, m.as_of))
FROM disputed d
WHERE d.contact_id = m.contact_id AND d.source = m.source AND d.profile_id = m.profile_id;
