"""From events or a plan to outcomes: the state machine of one event, single and bulk runs, the journal."""
