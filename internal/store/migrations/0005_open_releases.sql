-- Releases that are not over, which are decided anew when the catalog changes.
CREATE INDEX releases_open ON releases (id) WHERE state IN ('proposed', 'rolling', 'paused');
