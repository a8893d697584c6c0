"""Tokens: the credential that every request uses, a person's refresh token, and what sign-in errors mean."""
