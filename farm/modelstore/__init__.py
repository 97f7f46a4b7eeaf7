"""The store of models: known ones, adding, downloading, checking, removing. No network is loaded here."""
