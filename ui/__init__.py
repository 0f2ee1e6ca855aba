"""What the pages share: panels, charts, session state, translations."""
